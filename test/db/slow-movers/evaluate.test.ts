import { afterAll, beforeAll, expect, test } from 'vitest';
import { acknowledgeAlert, alertUuid, markAlertCampaign, releaseAlerts, snoozeAlert } from '../../../db/slow-movers/alert.ts';
import { evaluateSlowMovers } from '../../../db/slow-movers/evaluate.ts';
import { putRule } from '../../../db/slow-movers/policy.ts';
import { listAlerts, readAlert, type AlertView } from '../../../db/slow-movers/read.ts';
import { readStockFacts } from '../../../db/slow-movers/stock-facts.ts';
import { demandDays, movedAt } from '../../support/demand-days.ts';
import { World } from '../../support/world.ts';

const DAY = 86_400_000;
const [BEFORE, NOW] = [['2026-09-24', '2026-10-23'], ['2026-10-24', '2026-11-22']] as const; // the world's clock: 23 November
let world: World;
let number = 0;
beforeAll(async () => {
  world = await World.create({ skus: 30 });
  // Stock is there since the summer; the plain SKUs sell as ever, so that no rule speaks of them.
  await movedAt(world, '2026-08-01T00:00:00Z');
});
afterAll(async () => { await world.close(); });

const sku = (): string => `SKU-${++number}`;
const quiet = ['turnover', 'cover', 'age', 'selling_rate', 'outlook'] as const;
const alerts = async (code: string, closed = false): Promise<AlertView[]> =>
  (await listAlerts(world.store.pool, { status: closed ? 'closed' : null, severity: null, sku: code, category: null, country: null, region: null, before: null, limit: 50 })).sort((a, b) => (a.kind < b.kind ? -1 : 1));
const told = async (code: string): Promise<string[]> => (await alerts(code)).map((a) => `${a.status} ${a.region ?? '-'} ${a.triggers.map((t) => t.rule).join()} ${a.severity} ${a.moneyAtRisk}`);
const evaluate = () => evaluateSlowMovers(world.store.writer);
const halves = async (code: string, location: string, region: string, before: number, now: number): Promise<void> => demandDays(world, code, location, region, [[...BEFORE, before], [...NOW, now]]);

test('a fall over all channels opens one alert, however often and at once; a region is told under a rising total', async () => {
  for (const kind of quiet) await putRule(world.store.writer, { kind, category: null, enabled: false, params: {} }, 'key:test');
  const [fallen, hidden, steady] = [sku(), sku(), sku()];
  await world.store.pool.query(`update skus set season_end = '2026-11-22' where code = any($1)`, [[fallen, hidden, steady]]); // tomorrow nobody wants them: all 30 units of 1000 are at risk
  for (const l of ['L-1', 'L-2', 'L-3']) await halves(fallen, l, 'Shanghai', 4, 1);
  await halves(hidden, 'L-1', 'Beijing', 4, 1);
  await halves(hidden, 'L-2', 'Shanghai', 4, 12);
  await halves(steady, 'L-1', 'Beijing', 4, 4);
  const both = await Promise.all([evaluate(), evaluate()]);
  expect(both.map((e) => e.opened).sort()).toEqual([0, 2]);
  await evaluate();
  expect([await told(fallen), await told(hidden), await told(steady)]).toEqual([['open - trend low 30000'], ['open Beijing region_trend low 15000'], []]);
  const [alert] = await alerts(fallen);
  expect(alert?.triggers[0]).toMatchObject({ words: 'sales everywhere -75 % in 30 days (360 → 90 units)', evidence: { units: 90, unitsBefore: 360, change: -0.75, locations: 3, withoutLargestFall: -0.75 } });
  expect((await readAlert(world.store.pool, alertUuid(alert!.id))).events.map((e) => e.type)).toEqual(['alert.opened']);
});

test('it closes by itself when the cause is gone, and a new cause is a new alert', async () => {
  const code = sku();
  await halves(code, 'L-1', 'Beijing', 4, 1);
  await evaluate();
  expect(await told(code)).toEqual(['open - trend low 0']);
  await world.store.pool.query('update daily_demand set units = 4 where sku_id = (select id from skus where code = $1)', [code]);
  await evaluate();
  expect([await told(code), (await alerts(code, true)).length]).toEqual([[], 1]);
  await world.store.pool.query('update daily_demand set units = 1 where sku_id = (select id from skus where code = $1) and day >= $2', [code, NOW[0]]);
  await evaluate();
  expect([(await told(code)).length, (await alerts(code, true)).length]).toEqual([1, 1]);
});

test('acknowledged it stays so; snoozed until its date; in a campaign it is the campaign\'s', async () => {
  const code = sku();
  const { writer } = world.store;
  await halves(code, 'L-1', 'Beijing', 4, 1);
  await evaluate();
  const id = (await alerts(code))[0]!.id;
  const uuid = alertUuid(id);
  const status = async () => (await readAlert(world.store.pool, uuid)).status;
  await acknowledgeAlert(writer, uuid, 'seen', 'key:test');
  await acknowledgeAlert(writer, uuid, 'seen', 'key:test');
  await evaluate();
  expect(await status()).toBe('acknowledged');
  await expect(snoozeAlert(writer, uuid, world.now, 'later', 'key:test')).rejects.toThrow('date to come');
  await snoozeAlert(writer, uuid, new Date(world.now.getTime() + DAY / 2), 'later', 'key:test');
  await evaluate();
  expect(await status()).toBe('snoozed');
  const started = world.now;
  world.now = new Date(started.getTime() + DAY / 2 + 1);
  await evaluate();
  expect(await status()).toBe('open');
  await writer.change((tx) => markAlertCampaign(tx, id, 'clr_1'));
  await writer.change((tx) => markAlertCampaign(tx, id, 'clr_1'));
  await expect(writer.change((tx) => markAlertCampaign(tx, id, 'clr_2'))).rejects.toThrow("clr_1's already");
  await expect(acknowledgeAlert(writer, uuid, null, 'key:test')).rejects.toThrow('campaign clr_1');
  await evaluate();
  expect(await status()).toBe('in_campaign');
  await writer.change((tx) => releaseAlerts(tx, 'clr_1'));
  expect((await readAlert(world.store.pool, uuid)).events.map((e) => e.type)).toEqual(['alert.opened', 'alert.acknowledged', 'alert.snoozed', 'alert.opened', 'alert.campaign', 'alert.opened']);
  world.now = started;
  await expect(writer.change((tx) => markAlertCampaign(tx, 'alr_nonsense', 'clr_1'))).rejects.toThrow('does not exist');
});

test('a stock-out is no fall, and a SKU without stock is no slow mover', async () => {
  const [out, gone] = [sku(), sku()];
  await halves(out, 'L-1', 'Beijing', 4, 4);
  await world.store.pool.query(`delete from daily_demand where sku_id = (select id from skus where code = $1) and day >= '2026-11-02'`, [out]);
  await world.store.pool.query(`insert into stock_outs select id, $2, '2026-11-01T16:00:00Z', null from skus where code = $1`, [out, world.locationId('L-1')]);
  await halves(gone, 'L-1', 'Beijing', 4, 0);
  await world.setStock(gone, { 'L-1': 0, 'L-2': 0, 'L-3': 0 });
  await evaluate();
  expect([await told(out), await told(gone)]).toEqual([[], []]);
});

test('turnover, cover, age and 动销率 speak when they are on; a category\'s own rule counts there only', async () => {
  const { writer, pool } = world.store;
  const codes = Array.from({ length: 12 }, sku);
  await pool.query(`update skus set category = 'coats' where code = any($1)`, [codes]);
  for (const [i, code] of codes.entries()) await halves(code, 'L-1', 'Beijing', 1, i < 3 ? 0 : 1);
  for (const kind of quiet) await putRule(writer, { kind, category: 'coats', enabled: kind !== 'outlook', params: {} }, 'key:test');
  await evaluate();
  expect(await told(codes[0] as string)).toEqual(['open - trend,turnover,cover low 30000']); // sold 30 and then none; 30 units at 1000 with 90 days to go
  expect(await told(codes[5] as string)).toEqual([]);
  const [rate] = (await listAlerts(pool, { status: null, severity: null, sku: null, category: 'coats', country: null, region: null, before: null, limit: 50 })).filter((a) => a.kind === 'category');
  expect([rate?.triggers[0]?.words, rate?.moneyAtRisk]).toEqual(['75 % of the SKUs stocked sold, 100 % before', 90_000]);
  await putRule(writer, { kind: 'age', category: 'coats', enabled: true, params: { days: 100 } }, 'key:test');
  await evaluate();
  expect((await told(codes[5] as string))[0]).toContain('age');
  await expect(putRule(writer, { kind: 'age', category: 'nothing', enabled: true, params: {} }, 'key:test')).rejects.toThrow('no SKU is of category');
});

test('the ledger says means, opening, receipts and ages, first in, first out', async () => {
  const code = sku();
  const id = (await world.one<{ id: number }>('select id from skus where code = $1', code)).id;
  // 10 units at each of three locations since 1 August; 20 more came to L-1 on 8 November, 25 left there on 13 November.
  const move = async (units: number, at: string): Promise<void> => {
    await world.store.writer.change(async (tx) => {
      const level = await tx.one<{ id: number }>('select id from stock_levels where sku_id = $1 and location_id = $2', [id, world.locationId('L-1')]);
      await tx.post('count', null, [{ levelId: level!.id, onHand: units, reserved: 0 }]);
    });
    await world.store.pool.query(`update stock_movements m set at = $1 from stock_levels v where v.id = m.level_id and v.sku_id = $2 and m.at > '2026-11-20'`, [at, id]);
  };
  await move(20, '2026-11-08T00:00:00Z');
  await move(-25, '2026-11-13T00:00:00Z');
  const at = (day: string): Date => new Date(`${day}T00:00:00Z`);
  const [facts] = await readStockFacts(world.store.pool, [id], { from: at('2026-09-24'), middle: at('2026-10-24'), to: at('2026-11-23') }, at('2025-10-18'));
  // 30 for 15 days, 50 for 5, 25 for 10; of the 25 left, 20 are the last that came.
  expect(facts).toEqual({ skuId: id, onHand: 25, coming: 0, meanBefore: 30, meanNow: (30 * 15 + 50 * 5 + 25 * 10) / 30, opening: 30, received: 20, ages: [[15, 20], [114, 5]] });
});
