import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readDeclaration } from '../../db/declarations/burn-down.ts';
import { declare } from '../../db/declarations/declare.ts';
import { cancelDeclaration, endEarly } from '../../db/declarations/end.ts';
import { expireDue } from '../../db/orders/expiry.ts';
import { encodeId } from '../../domain/ids.ts';
import { declarationWorkflowId } from '../../workflows/contract/ids.ts';
import { MINUTE, Scene } from '../support/scene.ts';

let s: Scene;
let next = 0;
beforeAll(async () => { s = await Scene.open(); });
afterAll(async () => { await s.close(); });
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });

const FREE = { 'L-1': [10, 0], 'L-2': [10, 0], 'L-3': [10, 0] };
/** A session of 8 units that begins in 10 minutes and runs for an hour; its workflow has begun to wait. */
async function session(): Promise<{ code: string; sku: string; workflowId: string }> {
  const [code, sku] = [`LIVE-${++next}`, s.sku()];
  await s.sync();
  const { writer, network } = s.world.store;
  const at = (minutes: number): string => new Date(s.world.now.getTime() + minutes * MINUTE).toISOString();
  await declare(writer, network, { code, kind: 'live_stream', partner: 'P-1', channel: 'own', startsAt: at(10), endsAt: at(70), lines: [{ sku, sources: [{ location: 'L-1', units: 8 }] }] }, 'key:test');
  const { id } = await s.world.one<{ id: string }>('select id from declarations where code = $1', code);
  const workflowId = declarationWorkflowId(encodeId('dec', id));
  await s.settleWorkflow(workflowId);
  return { code, sku, workflowId };
}
const view = (code: string) => readDeclaration(s.world.store.pool, code, s.world.now);
const over = async (workflowId: string): Promise<void> => { await s.environment.client.workflow.getHandle(workflowId).result(); };
const passes = async (workflowId: string, minutes: number): Promise<void> => {
  await s.skip(minutes * MINUTE);
  await s.settleWorkflow(workflowId);
};
const buy = (code: string, sku: string, changes: object = {}): Promise<string> => s.order({ session: code, lines: [{ sku, quantity: 2, unitPrice: 100 }], ...changes });

test('live at its start, over at its end, settled when the last unpaid order has expired, done when the last unit has left', async () => {
  const { code, sku, workflowId } = await session();
  expect((await view(code)).status).toBe('declared');
  await passes(workflowId, 11);
  expect((await view(code)).status).toBe('live');
  const paid = await buy(code, sku);
  await s.tell(paid, await s.living(paid), { type: 'accepted' });
  await passes(workflowId, 50);
  await buy(code, sku, { payment: { status: 'unpaid' } });
  await passes(workflowId, 10);
  expect(await view(code)).toMatchObject({ status: 'settling', report: null, lines: [{ sold: 4, released: 4, free: 0 }] });
  await expect(s.world.capture({ session: code, lines: [{ sku, quantity: 1, unitPrice: 1 }] })).rejects.toMatchObject({ field: '/session' });
  await s.skip(21 * MINUTE);
  expect(await expireDue(s.world.store.writer)).toBe(1);
  await passes(workflowId, 1);
  expect((await view(code)).report).toMatchObject({ late: false, totals: { declared: 8, sold: 2, cancelled: 2, released: 6, oversold: 0 } });
  await s.issue(paid);
  await passes(workflowId, 11);
  await over(workflowId);
  expect(await s.world.stock(sku)).toEqual({ ...FREE, 'L-1': [8, 0] });
});

test('cancelled before its start: the workflow hears of it and ends', async () => {
  const { code, sku, workflowId } = await session();
  await cancelDeclaration(s.world.store.writer, code, 'no host');
  await s.settleWorkflow(workflowId);
  await over(workflowId);
  expect(await s.world.stock(sku)).toEqual(FREE);
});

test('ended early: settled at once when everything is paid', async () => {
  const { code, sku, workflowId } = await session();
  await passes(workflowId, 11);
  await buy(code, sku);
  await s.sync();
  await endEarly(s.world.store.writer, code, 'stream broke down');
  await s.settleWorkflow(workflowId);
  expect(await view(code)).toMatchObject({ status: 'settled', endReason: 'stream broke down', report: { totals: { sold: 2, released: 6, oversold: 0 } } });
});

test('sales end by the date in PostgreSQL, whether a worker has noticed or not; a workflow that comes late ends it', async () => {
  const { code, sku, workflowId } = await session();
  await passes(workflowId, 11);
  // Temporal stands still meanwhile; its worker's steps set the world's clock, so this one cannot be set.
  const late = new Date(s.world.now.getTime() + 60 * MINUTE);
  Object.defineProperty(s.world, 'now', { configurable: true, get: () => late, set: () => undefined });
  expect((await view(code)).status).toBe('live');
  await expect(s.world.capture({ session: code, lines: [{ sku, quantity: 1, unitPrice: 1 }] })).rejects.toMatchObject({ field: '/session' });
  Object.defineProperty(s.world, 'now', { configurable: true, writable: true, value: late });
  await passes(workflowId, 60);
  await over(workflowId);
  expect(await view(code)).toMatchObject({ status: 'settled', report: { late: false, totals: { sold: 0, released: 8 } } });
  expect(await s.world.stock(sku)).toEqual(FREE);
});
