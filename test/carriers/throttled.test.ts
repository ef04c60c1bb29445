import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, expect, test } from 'vitest';
import { Limiter } from '../../activities/channel-sync/limiter.ts';
import { abandonWaybill, askWaybill, waybillIssued } from '../../db/carriers/waybills.ts';
import { PartnerThrottled } from '../../domain/http-port.ts';
import { decodeId } from '../../domain/ids.ts';
import { CarrierScene } from './support/carrier-scene.ts';

let scene: CarrierScene | null = null;
afterEach(async () => {
  await scene?.close();
  scene = null;
});

/** SF, once `first` is done, is asked too often and wants to be left alone for so long. Gives how often it was called since. */
async function throttled(retryAfter: string, first: (s: CarrierScene) => Promise<unknown> = () => Promise.resolve()): Promise<{ s: CarrierScene; calls: () => number }> {
  const s = scene = await CarrierScene.open('sf');
  await first(s);
  return { s, calls: throttle(s, retryAfter) };
}
function throttle(s: CarrierScene, retryAfter: string): () => number {
  let calls = 0;
  Object.assign(s.world, { raw: () => { calls++; return Promise.resolve({ status: 429, headers: { 'retry-after': retryAfter }, text: '' }); } });
  s.restart();
  return () => calls;
}
const attempt = <T>(n: number, run: () => Promise<T>): Promise<T> => new MockActivityEnvironment({ attempt: n }).run(run);
const pauseS = (promise: Promise<unknown>): Promise<number> => promise.then(() => 0, (error: unknown) => { if (error instanceof PartnerThrottled) return Math.ceil(error.retryAfterMs / 10_000) * 10; throw error; });

test('nobody waits out a long pause: every attempt hears of it at once, and the last one goes to the next carrier', async () => {
  const { s, calls } = await throttled('600');
  await s.world.database.pool.query(`update carriers set active = true where code = 'sim'`);
  await s.world.store.network.reload();
  const routed = await s.routed();
  await s.world.database.pool.query(`update fulfillment_orders set carrier = 'sf' where id = $1`, [decodeId('ful', routed.f.id)]);
  expect([await pauseS(attempt(1, () => s.ship(routed))), await pauseS(attempt(5, () => s.ship(routed))), calls()]).toEqual([600, 600, 1]);
  const f = await attempt(6, () => s.ship(routed));
  expect([f.status, f.waybillNo, calls(), await s.waybills(routed.order)]).toEqual(['released', `W-${f.id}`, 1, [{ account: 'sf', state: 'void', waybillNo: null }, { account: 'sim', state: 'issued', waybillNo: `W-${f.id}` }]]);
});

test('retry-after is seconds or a date, an hour at most, and a second where it says nothing', async () => {
  const s = scene = await CarrierScene.open('sf');
  const routed = await s.routed();
  const { now } = s.world;
  for (const [retryAfter, seconds] of [['864000', 3600], [new Date(now.getTime() + 300_000).toUTCString(), 300], ['soon', 10], ['-5', 10]] as const) {
    const calls = throttle(s, retryAfter);
    expect([retryAfter, await pauseS(attempt(1, () => s.ship(routed))), calls()]).toEqual([retryAfter, seconds, 1]);
  }
});

test('what one account waits for waits for its pause, and the others go on', async () => {
  const { s, calls } = await throttled('600');
  const { pool, writer } = s.world.store;
  const keys = [];
  for (const account of ['sf', 'sf', 'sim']) {
    const { order, f } = await s.routed();
    const key = { account, requestId: f.id, carrier: account };
    await askWaybill(pool, key, decodeId('ord', order), s.world.now);
    await writer.change((tx) => waybillIssued(tx, key, `N-${keys.length}`, 'none'));
    await abandonWaybill(pool, key, s.world.now);
    keys.push(key);
  }
  expect([await s.tend.settleWaybills(), calls()]).toEqual([3, 1]);
  const { rows } = await pool.query<{ account: string; state: string; due: Date }>('select account, state, due_at due from waybills order by waybill_no');
  expect(rows.map((r) => [r.account, r.state, r.state === 'void' && Math.ceil((r.due.getTime() - s.world.now.getTime()) / 10_000) * 10])).toEqual([['sf', 'void', 600], ['sf', 'void', 600], ['sim', 'cancelled', false]]);
});

test('parcels of a paused account are asked for after the pause', async () => {
  const { s, calls } = await throttled('600', (open) => open.send());
  const polls = async (hours: number): Promise<number[]> => {
    s.later(hours);
    s.restart(); // a limiter's clock is a real one
    return [await s.tend.poll(), calls()];
  };
  expect([await polls(3), await polls(0.15), await polls(0.02), await polls(0)]).toEqual([[0, 1], [0, 1], [0, 2], [0, 2]]);
});

test('a limiter: who would wait too long takes no turn, and those behind it are not held up', async () => {
  let now = 0;
  const limiter = new Limiter({ '*': { perSecond: 10, burst: 10 } }, () => now);
  limiter.pause('a', 5_000);
  expect(await Promise.all([limiter.take('a', 1_500), limiter.take('a', 4_999), limiter.take('b', 0)])).toEqual([5_000, 5_000, 0]);
  now = 5_000;
  expect(await Promise.all([limiter.take('a', 0), limiter.take('a')])).toEqual([0, 0]);
});
