import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKey } from '../../../db/api-keys.ts';
import { prepareOrder } from '../../../db/capture/prepare.ts';
import { applyDue } from '../../../db/fulfillment/due.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { openStore, type Store } from '../../../db/store.ts';
import { requestReturn } from '../../../db/returns/returns.ts';
import { decodeId } from '../../../domain/ids.ts';
import { DAY, TestApi, type Answer } from '../../support/api.ts';
import { VAULT_KEY } from '../../support/world.ts';

let api: TestApi;
let office: string;
let people: string;
let phones = 0;
beforeAll(async () => {
  api = await TestApi.open({ skus: 4, stock: 1000 });
  office = await api.key('office', ['network:write']);
  people = await api.key('people', ['orders:read', 'personal:read', 'orders:operate']);
});
afterAll(async () => { await api.close(); });

const uuid = (id: string): string => decodeId('ord', id) as string;
const erase = (id: string, key = office): Promise<Answer> => api.call(key, 'POST', `/v1/orders/${id}/erase-person`);
const buyer = () => ({ shipTo: { name: 'Canary', phone: `1000000${String(++phones).padStart(4, '0')}`, country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Zebra Road' } });
const cancel = (id: string) => cancelOrder(api.world.store.writer, uuid(id), 'no longer wanted', 'key:test');
const personOf = async (id: string) => (await api.world.one<{ p: string }>('select person_id p from orders where id = $1', uuid(id))).p;
const person = (id: string) => api.world.one('select wrapped_key is null "noKey", identity_hash is null "noIdentity", erased_at at from persons where id = $1', id);
const contact = async (id: string) => (await api.call(people, 'GET', `/v1/orders/${id}`)).body['contact'];
const erasures = async (id: string) => (await api.world.events(id)).filter((e) => e === 'person.erased').length;
/** An order captured by another process. */
async function captureBy(store: Store, changes: object): Promise<string> {
  const intake = api.world.intake(changes);
  await store.network.loadSkus(intake.lines.map((l) => l.sku));
  const outcome = await store.capture.submit(prepareOrder(intake, store.network, store.vault, api.world.now, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null }));
  if ('problem' in outcome) throw outcome.problem;
  return outcome.answer.id;
}
async function refused(send: () => Promise<Answer>, expected: object): Promise<void> {
  const before = await api.fingerprint();
  expect((await send()).body).toMatchObject(expected);
  expect(await api.fingerprint()).toBe(before);
}

test('erased: on every order of theirs, once, and the same buyer is somebody new afterwards', async () => {
  const who = buyer();
  const [first, second, other] = [(await api.world.capture(who)).id, (await api.world.capture(who)).id, (await api.world.capture(buyer())).id];
  const id = await personOf(first);
  expect(await personOf(second)).toBe(id);
  expect(await contact(first)).toMatchObject({ shipTo: who.shipTo });
  await refused(() => erase(first), { status: 409, code: 'conflict', openOrders: 2, detail: "2 of this person's orders are open: erase the person when they are over" });
  await cancel(first);
  await refused(() => erase(first), { status: 409, code: 'conflict', openOrders: 1 });
  await cancel(second);
  const at = api.world.now;
  expect(await erase(first)).toMatchObject({ status: 200, body: { erasedAt: at.toISOString() } });
  expect(await person(id)).toEqual({ noKey: true, noIdentity: true, at });
  expect([await contact(first), await contact(second)]).toEqual([null, null]);
  expect(await contact(other)).toMatchObject({ shipTo: { name: 'Canary' } });
  expect(await api.world.one(`select actor, data from order_events where order_id = $1 and type = 'person.erased'`, uuid(first))).toEqual({ actor: 'key:office', data: null });

  api.world.now = new Date(at.getTime() + 60_000);
  for (const again of [first, second]) {
    const before = await api.fingerprint();
    expect((await erase(again)).body).toEqual({ erasedAt: at.toISOString() });
    expect(await api.fingerprint()).toBe(before);
  }
  const anew = (await api.world.capture(who)).id;
  expect(await personOf(anew)).not.toBe(id);
  expect(await contact(anew)).toMatchObject({ shipTo: who.shipTo });
  expect([await contact(first), await erasures(first), await erasures(second)]).toEqual([null, 1, 0]);
});

test('only the head office: by scope, and not with a bound key', async () => {
  const { id } = await api.world.capture({ ...buyer() });
  await cancel(id);
  const bound = await api.key('shop', ['network:write'], 'L-1');
  const carrier = (await createApiKey(api.world.store.pool, { name: 'carrier', scopes: ['network:write'], carrierCode: 'sim' })).key;
  await api.world.store.network.reload();
  await refused(() => erase(id, people), { status: 403, code: 'forbidden', detail: 'this key lacks the scope network:write' });
  for (const key of [bound, carrier]) await refused(() => erase(id, key), { status: 403, code: 'forbidden', detail: 'this key is bound to a location or carrier: only the head office erases people' });
  const none = 'ord_00000000000000000000000000';
  await refused(() => erase(none), { status: 404, code: 'not_found', detail: `order ${none} does not exist` });
  expect(await contact(id)).not.toBeNull();
});

test('a delivered order is open until its window ends; a late return keeps the person; afterwards nothing can be sent to them', async () => {
  const start = api.world.now;
  const id = await api.order(buyer());
  await api.deliver(id);
  await refused(() => erase(id), { status: 409, openOrders: 1 });
  api.world.now = new Date(start.getTime() + DAY);
  await applyDue(api.world.store.writer, api.world.store.network, uuid(id));
  expect(await api.world.status(id)).toBe('closed');
  const late = (kind: 'refund' | 'exchange') => requestReturn(api.world.store.writer, uuid(id), { kind, reason: 'goodwill', method: 'drop_off', goodwill: true, lines: [{ line: 1, quantity: 1 }] }, api.world.locationId('L-1'), 'key:test');
  const rma = await late('exchange');
  await refused(() => erase(id), { status: 409, openOrders: 1 });
  await api.world.store.pool.query(`update returns set status = 'cancelled', closed_at = now() where id = $1`, [decodeId('rma', rma)]);
  expect((await erase(id)).status).toBe(200);

  const before = await api.fingerprint();
  const problem = { code: 'conflict', message: 'the person of this order has been erased: nothing can be sent to them' };
  await expect(late('exchange')).rejects.toMatchObject(problem);
  const resent = await api.call(people, 'POST', '/v1/orders/actions', { action: 'resend', orderIds: [id], reason: 'lost', params: { lines: [{ line: 1, quantity: 1 }] } });
  expect(resent.body['results']).toMatchObject([{ orderId: id, ok: false, code: problem.code, detail: problem.message }]);
  expect(await api.fingerprint()).toBe(before);
  await expect(late('refund')).resolves.toMatch(/^rma_/);
  api.world.now = start;
});

test('every process forgets the key: one that has it cached makes a new person of the next order', async () => {
  const other = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, clock: () => api.world.now });
  try {
    const [who, somebody] = [buyer(), buyer()];
    const cached = [await captureBy(other, who), await captureBy(other, who), await captureBy(other, somebody)];
    const id = await personOf(cached[0]!);
    for (const order of cached) await cancel(order);
    expect((await erase(cached[0]!)).status).toBe(200);
    const anew = await captureBy(other, who);
    expect(await personOf(anew)).not.toBe(id);
    expect(await contact(anew)).toMatchObject({ shipTo: who.shipTo });
    // The other buyer is known still, and the new person is remembered.
    expect(await personOf(await captureBy(other, somebody))).toBe(await personOf(cached[2]!));
    expect(await personOf(await captureBy(other, who))).toBe(await personOf(anew));
    expect(await contact(cached[0]!)).toBeNull();
  } finally {
    await other.close();
  }
});

test('two erasures at once are one', async () => {
  for (let round = 0; round < 5; round++) {
    const who = buyer();
    const ids = [(await api.world.capture(who)).id, (await api.world.capture(who)).id];
    for (const id of ids) await cancel(id);
    const answers = await Promise.all([...ids, ...ids].map((id) => erase(id)));
    expect(answers.map((a) => [a.status, a.body['erasedAt']])).toEqual(Array.from({ length: 4 }, () => [200, api.world.now.toISOString()]));
    expect(await erasures(ids[0]!) + await erasures(ids[1]!)).toBe(1);
    expect(await api.world.one('select count(*)::int n from erasures where person_id = $1', await personOf(ids[0]!))).toEqual({ n: 1 });
  }
});

test('an erasure that meets a new order of the same buyer: either it is refused, or the order has a person who can be read', async () => {
  const other = await openStore({ url: api.world.database.url, vaultKey: VAULT_KEY, clock: () => api.world.now });
  const seen = { refused: 0, erased: 0 };
  try {
    for (let round = 0; round < 40; round++) {
      const who = buyer();
      const old = await captureBy(other, who);
      await cancel(old);
      // Either side starts first, by so many round trips.
      const later = async (turns: number): Promise<void> => { for (let n = 0; n < turns; n++) await api.world.store.pool.query('select 1'); };
      const [answer, anew] = await Promise.all([later(round % 2 ? 0 : round % 8).then(() => erase(old)), later(round % 2 ? round % 8 : 0).then(() => captureBy(other, who))]);
      const same = await personOf(anew) === await personOf(old);
      expect([answer.status, same]).toEqual(answer.status === 409 ? [409, true] : [200, false]);
      seen[answer.status === 409 ? 'refused' : 'erased']++;
      expect(await contact(anew), `round ${round}`).toMatchObject({ shipTo: who.shipTo });
      expect(await contact(old) === null).toBe(answer.status === 200);
    }
  } finally {
    await other.close();
  }
  expect(seen.refused + seen.erased).toBe(40);
});

test('an erasure waits for a capture that has read the key, and counts its order', async () => {
  const who = buyer();
  const old = (await api.world.capture(who)).id;
  await cancel(old);
  const { vault, pool } = api.world.store;
  const identity = vault.hash('buyer', who.shipTo.phone);
  const capture = await pool.connect();
  let erasing: Promise<Answer>;
  try {
    await capture.query('begin');
    const [known] = await vault.persons(capture, [identity]);
    expect(known?.id).toBe(await personOf(old));
    erasing = erase(old);
    await expect.poll(async () => (await api.world.one<{ n: number }>(`select count(*)::int n from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`)).n, { timeout: 20_000, interval: 10 }).toBe(1);
    await capture.query(`update orders set status = 'captured' where id = $1`, [(await api.world.one<{ id: string }>(
      `insert into orders select (jsonb_populate_record(o, jsonb_build_object('id', uuidv7(), 'external_id', uuidv7()::text))).* from orders o where id = $1 returning id`, uuid(old))).id]);
    await capture.query('commit');
  } finally {
    capture.release();
  }
  expect(await erasing).toMatchObject({ status: 409, body: { openOrders: 1 } });
  expect(await contact(old)).not.toBeNull();
});
