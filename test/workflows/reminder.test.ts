import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { decodeId } from '../../domain/ids.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => {
  s.world.partners.answer = defaultAnswer;
  await s.world.store.pool.query(`update locations set reroute_after_s = null, partner_url = 'http://wms.test'`);
  await s.world.store.pool.query('update channels set accept_timeout_s = null, reroute_after_s = null');
  await s.world.store.network.reload();
  expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
});

const at = async (id: string): Promise<string[]> => (await s.world.fulfillments(id)).map((f) => `${f.location} ${f.status}`);
const reminded = async (id: string): Promise<number> => (await s.world.events(id)).filter((e) => e === 'fulfillment.reminded').length;
const row = (id: string) => s.world.one<{ reminder: string | null; minutes: number | null }>(
  `select reminder, (extract(epoch from reroute_at - escalated_at) / 60)::int minutes from fulfillment_orders where order_id = $1 order by id limit 1`, decodeId('ord', id));

test('reminded once, with the date at which the order goes elsewhere; then it goes, by a time of its own', async () => {
  await s.world.store.pool.query(`update locations set reroute_after_s = 300`);
  await s.world.store.network.reload();
  const id = await s.order();
  const f = await s.living(id);
  await s.skip(10.5 * MINUTE, id);
  expect([await reminded(id), await row(id)]).toEqual([1, { reminder: 'told', minutes: 5 }]);
  const calls = s.world.partners.to(`/fulfillment-orders/${f.id}/remind`);
  expect(calls.map((c) => [c.messageId, c.body])).toEqual([[`remind-${f.id}`, { rerouteAt: (await s.world.one<{ at: Date }>('select reroute_at at from fulfillment_orders where id = $1', decodeId('ful', f.id))).at.toISOString() }]]);
  await s.skip(4 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 released']);
  await s.skip(1.5 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 rejected', 'L-2 released']);
  expect([await reminded(id), s.world.partners.to(`/fulfillment-orders/${f.id}/remind`).length]).toEqual([1, 1]);
});

test("the channel's times count before the location's", async () => {
  await s.world.store.pool.query(`update channels set accept_timeout_s = 120, reroute_after_s = 60 where code = 'own'`);
  await s.world.store.network.reload();
  const id = await s.order();
  await s.skip(1.5 * MINUTE, id);
  expect(await reminded(id)).toBe(0);
  await s.skip(MINUTE, id);
  expect([await reminded(id), (await row(id)).minutes]).toEqual([1, 1]);
  await s.skip(1.2 * MINUTE, id);
  expect(await at(id)).toEqual(['L-1 rejected', 'L-2 released']);
});

test('a location that works by hand is not called; one without such a call, or down, is called in vain and no more', async () => {
  await s.world.store.pool.query(`update locations set partner_url = null where code = 'L-1'`);
  await s.world.store.network.reload();
  const byHand = await s.order();
  await s.skip(10.5 * MINUTE, byHand);
  expect([await reminded(byHand), (await row(byHand)).reminder]).toEqual([1, 'by_hand']);
  await s.world.store.pool.query(`update locations set partner_url = 'http://wms.test'`);
  await s.world.store.network.reload();
  s.world.partners.answer = (request) => (request.url.endsWith('/remind') ? { status: 404, body: {} } : defaultAnswer(request));
  const old = await s.order();
  await s.skip(10.5 * MINUTE, old);
  expect([await reminded(old), (await row(old)).reminder]).toEqual([1, 'unsupported']);
  s.world.partners.answer = (request) => { if (request.url.endsWith('/remind')) throw new PartnerUnavailable('down'); return defaultAnswer(request); };
  const down = await s.order();
  await s.until(down, async () => (await row(down)).reminder === 'unreachable');
  expect(await reminded(down)).toBe(1);
});

test('accepted after the reminder: it stays there', async () => {
  const id = await s.order();
  await s.skip(10.5 * MINUTE, id);
  await s.tell(id, await s.living(id), { type: 'accepted' });
  await s.skip(60 * MINUTE, id);
  expect([await at(id), await reminded(id)]).toEqual([['L-1 accepted'], 1]);
});
