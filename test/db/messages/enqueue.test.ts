import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, plainPhone, readConsent, writeConsents, addressHash } from '../../../db/messages/consents.ts';
import { enqueueMessage, enqueueMessages, type MessageRequest } from '../../../db/messages/enqueue.ts';
import { decodeId } from '../../../domain/ids.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create(); });
afterAll(async () => { await world.close(); });

const request = async (key: string, changes: Partial<MessageRequest> = {}): Promise<MessageRequest> => {
  const { id } = await world.capture();
  const order = await world.one<{ personId: string; contactId: string }>('select person_id "personId", contact_id "contactId" from orders where id = $1', decodeId('ord', id));
  return { key, person: order, template: 'parcel.delivered', params: { no: 'W1' }, purpose: 'service', ways: ['sms', 'email'], orderId: decodeId('ord', id), ...changes };
};
const count = async (): Promise<number> => (await world.one<{ n: number }>('select count(*)::int n from messages')).n;

test('a key is one message, however often it is asked for and by whomever at once', async () => {
  const wish = await request('once');
  const made = await Promise.all(Array.from({ length: 8 }, () => world.store.writer.change((tx) => enqueueMessage(tx, wish))));
  expect(made.filter(Boolean)).toHaveLength(1);
  const many = await Promise.all([[1, 2, 3], [3, 2, 1]].map(async (order) => world.store.writer.change(async (tx) => enqueueMessages(tx, order.map((n) => ({ ...wish, key: `many ${n}` }))))));
  expect(many.reduce((a, b) => a + b)).toBe(3);
  expect(await world.one('select status, ways, params, attempts, expires_at - due_at worth from messages where key = $1', 'once')).toMatchObject({ status: 'waiting', ways: ['sms', 'email'], params: { no: 'W1' }, attempts: 0 });
});

test('a transaction that does not commit asks for nothing', async () => {
  const wish = await request('rolled back');
  const before = await count();
  await expect(world.store.writer.change(async (tx) => { await enqueueMessage(tx, wish); throw new Error('no'); })).rejects.toThrow('no');
  expect(await count()).toBe(before);
});

test('addresses of a contact', () => {
  const shipTo = { name: 'A', phone: '+86 138-0013-8000', country: 'CN', province: 'p', city: 'c', street: 's' };
  const contact = { buyer: null, shipTo, buyerRemark: null, sellerRemark: null, invoice: null };
  expect([addressOf(contact, 'sms'), addressOf(contact, 'email'), addressOf(contact, 'wecom')]).toEqual(['13800138000', null, null]);
  expect(addressOf({ ...contact, buyer: { email: ' A@Example.COM ', phone: '13900139000', wecomId: 'wm1' } }, 'email')).toBe('a@example.com');
  expect(addressOf({ ...contact, buyer: { phone: '13900139000' } }, 'sms')).toBe('13900139000');
  expect(addressOf({ ...contact, shipTo: { ...shipTo, phone: '138****8000', sealed: { phone: 'x' } } }, 'sms')).toBeNull();
  expect([plainPhone('138****8000'), plainPhone('+1 (650) 555-0100'), plainPhone('008613800138000')]).toEqual([null, '+16505550100', '13800138000']);
});

test('the later word of an address counts, in any spelling, and nothing but its hash is kept', async () => {
  const { store: { pool, vault } } = world;
  const at = (n: number): Date => new Date(Date.parse('2026-11-01T00:00:00Z') + n);
  await writeConsents(pool, vault, [{ way: 'sms', address: '+86 138 0013 8001', purpose: 'marketing', allowed: true, source: 'import' }], at(1));
  const hash = addressHash(vault, 'sms', '13800138001');
  expect(await readConsent(pool, hash, 'sms', 'marketing')).toBe(true);
  expect(await readConsent(pool, hash, 'sms', 'service')).toBeNull();
  await writeConsents(pool, vault, [{ way: 'sms', address: '13800138001', purpose: 'marketing', allowed: false, source: 'reply' }], at(3));
  await writeConsents(pool, vault, [{ way: 'sms', address: '13800138001', purpose: 'marketing', allowed: true, source: 'late import' }], at(2));
  expect(await readConsent(pool, hash, 'sms', 'marketing')).toBe(false);
  await writeConsents(pool, vault, [{ way: 'sms', address: '13800138001', purpose: 'marketing', allowed: true, source: 'reply' }, { way: 'sms', address: '13800138001', purpose: 'service', allowed: false, source: 'reply' }], at(4));
  expect(await readConsent(pool, hash, 'sms', 'marketing')).toBe(false); // who wants no services wants no offers
  expect(await world.one(`select count(*)::int n from message_consents m where m::text like '%138001%'`)).toEqual({ n: 0 });
});
