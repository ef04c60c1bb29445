import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runAudit } from '../../db/audit/run-audit.ts';
import type { HttpRequest } from '../../domain/http-port.ts';
import { RECONCILIATION_WORKFLOW, reconciliationWorkflowId } from '../../workflows/contract/ids.ts';
import { Counts } from '../support/counts.ts';
import { MINUTE, Scene } from '../support/scene.ts';
import { defaultAnswer } from '../support/world.ts';

let s: Scene;
let c: Counts;
beforeAll(async () => {
  s = await Scene.open({ stock: 0 });
  c = new Counts(s.world);
  await s.sync();
});
afterAll(async () => { await s.close(); });
afterEach(async () => { expect((await runAudit(s.world.store.pool, { now: s.world.now })).violations).toEqual([]); });

const snapshots = async (location: string): Promise<unknown[][]> => (await s.world.store.pool.query<Record<string, unknown>>(
  'select external_id, status, lines, reason from snapshots where location_id = $1 order by id', [s.world.locationId(location)])).rows.map((r) => Object.values(r));
const types = async (location: string): Promise<string[]> => {
  const { events } = await s.environment.client.workflow.getHandle(reconciliationWorkflowId(location)).fetchHistory();
  return (events ?? []).flatMap((e) => e.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
};

test('the first snapshot of a location starts its workflow; snapshots are processed as they were taken, each once', async () => {
  const sku = s.sku();
  await c.rule();
  await s.world.setStock(sku, { 'L-1': 10 });
  await c.moved(sku, 1440);
  await c.stage([{ sku, quantity: 8 }], { id: 'second', takenAt: c.ago(10) });
  await c.stage([{ sku, quantity: 9 }], { id: 'first', takenAt: c.ago(20) });
  await s.settleWorkflow(reconciliationWorkflowId('L-1'));
  expect(await snapshots('L-1')).toEqual([['second', 'done', 1, null], ['first', 'done', 1, null]]);
  expect([await c.lines('first'), await c.lines('second'), (await s.world.stock(sku))['L-1']]).toEqual([[[sku, 9, 10, -1, 'loss', 'adjust']], [[sku, 8, 9, -1, 'loss', 'adjust']], [8, 0]]);
  await c.stage([{ sku, quantity: 7 }], { id: 'third' });
  await s.settleWorkflow(reconciliationWorkflowId('L-1'));
  expect((await s.world.stock(sku))['L-1']).toEqual([7, 0]);
  const { type, status } = await s.environment.client.workflow.getHandle(reconciliationWorkflowId('L-1')).describe();
  expect([type, status.name]).toEqual([RECONCILIATION_WORKFLOW, 'RUNNING']);
  expect((await types('L-1')).every((name) => name === 'reconcileNext')).toBe(true);
});

test('the partner is asked when the rule says so, page after page; what it does not tell is tried an interval later', async () => {
  const skus = [s.sku(), s.sku(), s.sku()];
  for (const sku of skus) {
    await s.world.setStock(sku, { 'L-2': 10 });
    await c.moved(sku, 1440);
  }
  let refuses = false;
  const asked: HttpRequest[] = [];
  s.world.partners.answer = (request) => {
    if (!request.url.includes('/v1/stock?')) return defaultAnswer(request);
    asked.push(request);
    if (refuses) return { status: 404, body: { code: 'unknown_location', message: 'not known' } };
    const after = new URL(request.url).searchParams.get('after');
    const items = after === null ? [{ sku: skus[0], quantity: 10 }, { sku: skus[1], condition: 'sellable', quantity: 9 }] : [{ sku: skus[2], quantity: 10 }];
    return { status: 200, body: { location: 'L-2', takenAt: s.world.now.toISOString(), items, next: after === null ? skus[1] : null } };
  };
  const id = reconciliationWorkflowId('L-2');
  const rule = { toleranceUnits: 2, tolerancePercent: 0, windowS: 60, pullEveryS: 3600 };
  await c.rule(rule, 'L-2');
  const first = s.world.now.toISOString();
  await s.settleWorkflow(id);
  const [pulled] = await snapshots('L-2');
  expect(pulled?.slice(1)).toEqual(['done', 3, null]);
  expect(asked.map((r) => [r.method, new URL(r.url).search, r.messageId.replace(/\d{4}-.*Z/, 'DUE')])).toEqual([
    ['GET', '?location=L-2&limit=1000', 'stock-L-2-DUE-0'], ['GET', `?location=L-2&limit=1000&after=${skus[1] ?? ''}`, 'stock-L-2-DUE-1']]);
  expect(String(pulled?.[0]) >= `pull-${first}`).toBe(true);
  expect((await s.world.stock(skus[1] ?? ''))['L-2']).toEqual([9, 0]);

  refuses = true;
  await s.skip(61 * MINUTE);
  await s.settleWorkflow(id);
  expect((await snapshots('L-2')).map((r) => r.slice(1))).toEqual([['done', 3, null], ['refused', 0, 'the location did not tell its stock (404)']]);
  refuses = false;
  await s.skip(61 * MINUTE);
  await s.settleWorkflow(id);
  expect((await snapshots('L-2')).map((r) => r[1])).toEqual(['done', 'refused', 'done']);

  await c.rule({ ...rule, pullEveryS: null }, 'L-2');
  await s.settleWorkflow(id);
  const calls = asked.length;
  await s.skip(300 * MINUTE);
  expect(asked.length).toBe(calls);
});
