import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeConsents } from '../../db/messages/consents.ts';
import { enqueueMessage, type MessageRequest } from '../../db/messages/enqueue.ts';
import { leaseMessages } from '../../db/messages/lease.ts';
import { putMessenger } from '../../db/messages/messengers.ts';
import { resendMessage } from '../../db/messages/read.ts';
import { putTemplate } from '../../db/messages/templates.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { createLogger } from '../../runtime/logger.ts';
import { startMessengers, type MessengersSimulator } from '../../simulators/messengers/start-messengers.ts';
import { createHttp, createRawHttp } from '../../workers/http.ts';
import { MessageSender } from '../../workers/messages/sender.ts';
import { World } from '../support/world.ts';

const SECRET = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
let world: World;
let simulator: MessengersSimulator;
let sender: MessageSender;
let serial = 0;
let handled: string[] = [];

async function account(code: string, kind: string, way: 'sms' | 'email' | 'wecom', settings: Record<string, string>, secrets: Record<string, string>): Promise<void> {
  await putMessenger(world.store.pool, world.store.vault, { code, kind, ways: [way], settings: { url: simulator.url, ...settings }, secrets, active: true, priority: 0, perSecond: 1000 });
}
const newSender = (raw = createRawHttp()): MessageSender => new MessageSender({ store: world.store, http: createHttp(), raw, logger: createLogger('test', 'silent'), onHandled: (outcome) => { handled.push(outcome); } });

beforeAll(async () => {
  world = await World.create({ stock: 1000 });
  await putTemplate(world.store.pool, 'arrived', { '*': { subject: 'Parcel {no}', body: '{recipient}: {no} has arrived', providerTemplate: null }, sms: { subject: null, body: '{no}', providerTemplate: 'SMS_1' } });
});
afterAll(async () => { await world.close(); });
beforeEach(async () => {
  world.now = new Date('2026-11-23T02:00:00Z'); // 10:00 in Shanghai
  simulator = await startMessengers({ secret: SECRET, smsKey: { id: 'key', secret: 'sms-secret' }, wecom: { corpId: 'corp', corpSecret: 'wecom-secret' }, emailKey: 're_12345678' });
  await account('sms', 'aliyun-sms', 'sms', { accessKeyId: 'key', signName: 'Shop' }, { accessKeySecret: 'sms-secret' });
  await account('mail', 'resend', 'email', { from: 'shop@example.com' }, { apiKey: 're_12345678' });
  await account('wecom', 'wecom', 'wecom', { corpId: 'corp', sender: 'zhang' }, { corpSecret: 'wecom-secret' });
  sender = newSender();
  handled = [];
});
afterEach(async () => {
  await simulator.close();
  await world.store.pool.query('delete from messages');
});

type Buyer = { name?: string; phone?: string; email?: string; wecomId?: string };
async function ask(buyer: Buyer, changes: Partial<MessageRequest> = {}): Promise<string> {
  const { id } = await world.capture({ buyer: { name: 'Li', ...buyer }, shipTo: { ...world.intake().shipTo, phone: buyer.phone ?? 'none' } });
  const person = await world.one<{ personId: string; contactId: string }>('select person_id "personId", contact_id "contactId" from orders where id = $1', decodeId('ord', id));
  await world.store.writer.change((tx) => enqueueMessage(tx, { key: `k${serial++}`, person, template: 'arrived', params: { no: 'W1' }, purpose: 'service', ways: ['sms'], orderId: decodeId('ord', id), ...changes }));
  return id;
}
const stateOf = (id: string): Promise<Record<string, unknown>> => world.one('select status, reason, way, attempts from messages where order_id = $1', decodeId('ord', id));
const minutes = (n: number): void => { world.now = new Date(world.now.getTime() + n * 60_000); };
const faults = async (body: object): Promise<void> => { await fetch(`${simulator.url}/_control/faults`, { method: 'PUT', body: JSON.stringify(body) }); };

describe('each provider by its protocol', () => {
  test.each([
    ['sms', { phone: '13800138000' }, 'SMS_1 {"no":"W1"}'],
    ['email', { email: 'li@example.com' }, 'Parcel W1\nLi: W1 has arrived'],
    ['wecom', { wecomId: 'wm-li' }, 'Li: W1 has arrived'],
  ] as const)('%s', async (way, buyer, text) => {
    const id = await ask(buyer, { ways: [way] });
    await sender.round();
    expect(await stateOf(id)).toEqual({ status: 'sent', reason: null, way, attempts: 1 });
    expect(simulator.inbox.map((m) => [m.way, m.text])).toEqual([[way, text]]);
    expect((await world.events(id)).at(-1)).toBe('message.sent');
    await sender.round();
    minutes(2);
    expect(await sender.check()).toBe(1);
    expect(await stateOf(id)).toMatchObject({ status: 'delivered' });
    expect(simulator.inbox).toHaveLength(1);
  });

  test('the generic gateway, signed', async () => {
    await putMessenger(world.store.pool, world.store.vault, { code: 'sms', kind: 'generic', ways: ['sms'], settings: { url: simulator.url }, secrets: { secret: SECRET }, active: true, priority: 0, perSecond: 1000 });
    const id = await ask({ phone: '13800138009' });
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'sent', way: 'sms' });
    expect(simulator.inbox.map((m) => m.text)).toEqual(['W1']);
    minutes(2);
    expect(await sender.check()).toBe(1);
  });

  test.each([['sms', { phone: '13800131111' }], ['email', { email: 'li1111@example.com' }], ['wecom', { wecomId: 'wm1111' }]] as const)('%s that did not arrive shows, on the order too', async (way, buyer) => {
    const id = await ask(buyer, { ways: [way] });
    await sender.round();
    minutes(2);
    expect(await sender.check()).toBe(1);
    expect(await stateOf(id)).toMatchObject({ status: 'failed', reason: 'not_delivered' });
    expect((await world.events(id)).slice(-2)).toEqual(['message.sent', 'message.failed']);
  });

  test.each([['sms', { phone: '13800132222' }, 1], ['email', { email: 'li2222@example.com' }, 0.12], ['wecom', { wecomId: 'wm2222' }, 1]] as const)('%s: throttled is later, not lost', async (way, buyer, wait) => {
    const id = await ask(buyer, { ways: [way] });
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'waiting', attempts: 1 });
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ attempts: 1 });
    minutes(wait);
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'waiting', attempts: 2 });
  });
});

describe('who is written to', () => {
  test('the first way that has an address, a consent and a messenger; another one where that one refuses', async () => {
    const id = await ask({ phone: '13800130000', email: 'li@example.com' }, { ways: ['wecom', 'sms', 'email'] });
    await sender.round();
    expect(await stateOf(id)).toEqual({ status: 'sent', reason: null, way: 'email', attempts: 2 });
    expect(simulator.inbox.map((m) => m.way)).toEqual(['email']);
  });

  test('refused by all: failed, visible, and sent again by hand', async () => {
    const id = await ask({ phone: '13800130000' }, { ways: ['sms'] });
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'failed', reason: 'refused' });
    expect((await world.events(id)).at(-1)).toBe('message.failed');
    const { id: message } = await world.one<{ id: string }>('select id from messages where order_id = $1', decodeId('ord', id));
    await resendMessage(world.store.writer, encodeId('msg', message), 'key:test');
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'failed', attempts: 1 });
    expect((await world.events(id)).slice(-2)).toEqual(['message.resent', 'message.failed']);
  });

  test('an offer needs a yes, and a no counts at once', async () => {
    const { store: { pool, vault } } = world;
    const offer = { purpose: 'marketing', ways: ['sms'] } as const;
    const none = await ask({ phone: '13800138101' }, offer);
    await writeConsents(pool, vault, [{ way: 'sms', address: '13800138102', purpose: 'marketing', allowed: true, source: 'import' }, { way: 'sms', address: '13800138103', purpose: 'service', allowed: false, source: 'reply' }], world.now);
    const yes = await ask({ phone: '13800138102' }, offer);
    const no = await ask({ phone: '13800138103' });
    await sender.round();
    expect(await Promise.all([none, yes, no].map(stateOf))).toMatchObject([{ status: 'skipped', reason: 'no_consent' }, { status: 'sent' }, { status: 'skipped', reason: 'opted_out' }]);
    expect(simulator.inbox.map((m) => m.to)).toEqual(['13800138102']);
  });

  test('quiet hours are waited for; what is of no use afterwards is not told', async () => {
    world.now = new Date('2026-11-23T15:00:00Z'); // 23:00
    const id = await ask({ phone: '13800138201' });
    const late = await ask({ phone: '13800138202' }, { expiresAt: new Date('2026-11-23T20:00:00Z') });
    await sender.round();
    expect(await stateOf(id)).toEqual({ status: 'waiting', reason: null, way: null, attempts: 0 });
    world.now = new Date('2026-11-24T00:00:00Z');
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'sent' });
    expect(await stateOf(late)).toMatchObject({ status: 'skipped', reason: 'expired' });
    expect(simulator.inbox).toHaveLength(1);
    expect(handled.sort()).toEqual(['postponed', 'postponed', 'sent', 'skipped']);
  });

  test('nobody who has been erased, nobody without an address, and no text that lacks a value', async () => {
    const erased = await ask({ phone: '13800138301' });
    await world.store.pool.query('update persons set wrapped_key = null, identity_hash = null, erased_at = now() where id = (select person_id from messages where order_id = $1)', [decodeId('ord', erased)]);
    const none = await ask({ email: 'li@example.com' });
    const torn = await ask({ phone: '13800138302' }, { params: {} });
    const unknown = await ask({ phone: '13800138303' }, { template: 'nowhere' });
    await sender.round();
    expect(await Promise.all([erased, none, torn, unknown].map(stateOf))).toMatchObject([
      { status: 'skipped', reason: 'erased' }, { status: 'skipped', reason: 'no_address' }, { status: 'failed', reason: 'missing_parameter' }, { status: 'failed', reason: 'no_template' },
    ]);
    expect(simulator.inbox).toHaveLength(0);
  });
});

describe('exactly once', () => {
  test('many senders at once send each message once', async () => {
    for (let i = 0; i < 30; i++) await ask({ phone: `138001384${String(i).padStart(2, '0')}` });
    await Promise.all([newSender(), newSender(), newSender()].map((s) => s.round()));
    expect(new Set(simulator.inbox.map((m) => m.key)).size).toBe(30);
    expect(simulator.inbox).toHaveLength(30);
  });

  test('half of the answers lost after the message was taken: keyed and looked-up ones arrive once', async () => {
    await faults({ error500: { rate: 0.5 } });
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) ids.push(await ask(i % 2 === 0 ? { phone: `138001385${String(i).padStart(2, '0')}` } : { email: `li${i}@example.com` }, { ways: ['sms', 'email'] }));
    for (let i = 0; i < 8; i++) {
      await sender.round();
      minutes(240);
    }
    // Chance may lose every answer for one of them: in the end they come.
    await faults({});
    for (let i = 0; i < 3; i++) {
      await sender.round();
      minutes(240);
    }
    expect(new Set((await Promise.all(ids.map(stateOf))).map((s) => s['status']))).toEqual(new Set(['sent']));
    expect(new Set(simulator.inbox.map((m) => m.key)).size).toBe(20);
    expect(simulator.inbox).toHaveLength(20);
  });

  test('killed between the call and its record: looked up, not sent again; where nobody can be asked it ends, visibly', async () => {
    const [sms, wecom] = [await ask({ phone: '13800138601' }), await ask({ wecomId: 'wm-1' }, { ways: ['wecom'] })];
    const raw = createRawHttp();
    // The process dies when the answer comes: nothing after the call is run.
    const dying = newSender(async (call, ms) => { const answer = await raw(call, ms); if (call.url.includes('gettoken')) return answer; return new Promise(() => undefined); });
    void dying.round();
    await expect.poll(() => simulator.inbox.length).toBe(2);
    await sender.round(); // the lease holds
    expect(simulator.inbox).toHaveLength(2);
    minutes(2);
    await sender.round();
    expect(await stateOf(sms)).toMatchObject({ status: 'sent', attempts: 2 });
    expect(await stateOf(wecom)).toMatchObject({ status: 'failed', reason: 'outcome_unknown' });
    expect(simulator.inbox).toHaveLength(2);
  });

  test('a provider that cannot be reached has received nothing: every kind is tried again until it is of no use', async () => {
    const id = await ask({ wecomId: 'wm-2' }, { ways: ['wecom'] });
    const { url } = simulator;
    await simulator.close();
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'waiting', attempts: 1 });
    minutes(4 * 1440);
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'failed', reason: 'expired' });
    expect(url).toMatch(/^http/);
  });

  describe('an answer was lost, and the next try is refused', () => {
    /** Its message is taken, by e-mail, and the answer lost. */
    async function lost(): Promise<string> {
      const id = await ask({ phone: '13800138611', email: 'li@example.com' }, { ways: ['email', 'sms'] });
      const raw = createRawHttp();
      await newSender(async (call, ms) => { await raw(call, ms); throw new PartnerUnavailable('no answer'); }).round();
      expect([await stateOf(id), simulator.inbox.map((m) => m.way)]).toEqual([{ status: 'waiting', reason: null, way: 'email', attempts: 1 }, ['email']]);
      minutes(10);
      return id;
    }

    test('for itself: nobody knows whether it went, and it goes by no other way', async () => {
      const id = await lost();
      await newSender(() => Promise.resolve({ status: 422, headers: {}, text: '{"statusCode":422,"name":"validation_error","message":"no"}' })).round();
      expect([await stateOf(id), simulator.inbox.map((m) => m.way)]).toEqual([{ status: 'failed', reason: 'outcome_unknown', way: 'email', attempts: 2 }, ['email']]);
      expect(await world.one('select error from messages where order_id = $1', decodeId('ord', id))).toEqual({ error: 'validation_error' });
    });

    test('for its account: it waits until that is put right, and arrives once', async () => {
      const id = await lost();
      await account('mail', 'resend', 'email', { from: 'shop@example.com' }, { apiKey: 're_rotated' });
      await newSender().round();
      expect(await stateOf(id)).toEqual({ status: 'waiting', reason: null, way: 'email', attempts: 2 });
      minutes(10);
      await account('mail', 'resend', 'email', { from: 'shop@example.com' }, { apiKey: 're_12345678' });
      await newSender().round();
      expect([await stateOf(id), simulator.inbox.map((m) => m.way)]).toEqual([{ status: 'sent', reason: null, way: 'email', attempts: 3 }, ['email']]);
    });

    test('for its account until it is of no use: nobody knows whether it went', async () => {
      const id = await lost();
      await account('mail', 'resend', 'email', { from: 'shop@example.com' }, { apiKey: 're_rotated' });
      await newSender().round();
      minutes(4 * 1440);
      await newSender().round();
      expect([await stateOf(id), simulator.inbox.map((m) => m.way)]).toEqual([{ status: 'failed', reason: 'outcome_unknown', way: 'email', attempts: 2 }, ['email']]);
    });
  });

  test('a lease that ended gives the message to another, and the first one changes nothing any more', async () => {
    const id = await ask({ phone: '13800138701' });
    const [first] = await leaseMessages(world.store.pool, world.now, new Date(world.now.getTime() + 1000), 5);
    expect(first?.attempts).toBe(0);
    minutes(1);
    await sender.round();
    expect(await stateOf(id)).toMatchObject({ status: 'sent', attempts: 1 });
    expect(await leaseMessages(world.store.pool, world.now, world.now, 5)).toEqual([]);
  });
});

test('nothing personal stands in messages, events or errors', async () => {
  const id = await ask({ phone: '13800130000', name: 'Wang Xiaoming', email: 'wang0000@example.com' }, { ways: ['sms', 'email'] });
  await sender.round();
  expect(await stateOf(id)).toMatchObject({ status: 'failed', reason: 'refused' });
  const { text } = await world.one<{ text: string }>(`select (select string_agg(m::text, '') from messages m) || (select string_agg(e::text, '') from order_events e where order_id = $1) as text`, decodeId('ord', id));
  expect(text).not.toMatch(/13800130000|Wang|wang0000/);
});
