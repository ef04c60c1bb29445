import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { promoteCanary, rollBackCanary } from '../../db/routing/canary/end.ts';
import { lookAtCanary } from '../../db/routing/canary/look.ts';
import { readCanary } from '../../db/routing/canary/read.ts';
import { startCanary } from '../../db/routing/canary/start.ts';
import { draftPolicy, movePolicy } from '../../db/routing/policies.ts';
import { decodeId } from '../../domain/ids.ts';
import { inCanary } from '../../domain/routing/canary.ts';
import type { InstancePolicy } from '../../domain/routing/model.ts';
import { canaryWorkflowId } from '../../workflows/contract/ids.ts';
import { MINUTE, Scene } from '../support/scene.ts';

let s: Scene;
let version = 0;
// Nobody is reminded, so that days pass quickly.
beforeAll(async () => { s = await Scene.open({ acceptTimeoutS: 30 * 86_400 }); });
afterEach(async () => { expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 }); });
afterAll(async () => { await s.close(); });

const GUARD = { minOrders: 6, costWorse: 0, lateWorse: 0, confidence: 950 };
const HOURS = 48; // a look an hour
async function draft(changes: Partial<InstancePolicy> = {}): Promise<number> {
  await s.sync();
  await draftPolicy(s.world.store.writer, {
    policy: {
      code: 'try', version: ++version, kinds: ['warehouse', 'third_party', 'store', 'vendor', 'dealer'], maxShipments: 4, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal',
      weights: { shipping: 1000, handling: 1000, splitPenalty: 0, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 }, ...changes,
    },
  }, 'key:test');
  return version;
}
/** The clock goes on by itself between two requests: the same again names the same end. */
const ends = new Map<number, string>();
const start = async (v: number, share = 500) => {
  const endsAt = ends.get(v) ?? new Date(s.world.now.getTime() + HOURS * 60 * MINUTE).toISOString();
  ends.set(v, endsAt);
  const { writer, network } = s.world.store;
  await startCanary(writer, network, 'try', v, { share, endsAt, guard: GUARD }, 'key:test');
  return view(v);
};
const view = (v: number) => readCanary(s.world.store.pool, 'try', v, s.world.now);
const policyOf = async (orderId: string) => (await s.world.one<{ p: string }>(
  `select p.code || '@' || p.version p from routing_decisions d join routing_policies p on p.id = d.policy_id where d.order_id = $1 order by d.id limit 1`, decodeId('ord', orderId))).p;
const events = async (v: number) => (await view(v)).events.map((e) => [e.type, e.actor]);
/** Orders until both arms have so many; their ids with the arm that each must be in. */
async function orders(canary: string, each: number): Promise<{ id: string; tried: boolean }[]> {
  const made: { id: string; tried: boolean }[] = [];
  const uuid = decodeId('can', canary) as string;
  while (made.filter((o) => o.tried).length < each || made.filter((o) => !o.tried).length < each) {
    const id = await s.order({ lines: [{ sku: s.sku(), quantity: 1, unitPrice: 100 }] });
    made.push({ id, tried: inCanary(uuid, decodeId('ord', id) as string, 500) });
  }
  return made;
}

test('a draft that cannot route is rolled back by itself at the next look, once; then all orders take the policy in effect', async () => {
  const v = await draft({ kinds: ['dealer'] });
  const canary = await start(v);
  const workflowId = canaryWorkflowId(canary.id);
  await s.settleWorkflow(workflowId);
  expect(canary).toMatchObject({ status: 'running', share: 500, control: { code: 'default', version: 1 }, arms: { canary: { orders: 0 }, control: { orders: 0 } } });
  const made = await orders(canary.id, 6);
  for (const { id, tried } of made) expect(await policyOf(id)).toBe(tried ? `try@${v}` : 'default@1');
  const tried = made.filter((o) => o.tried).length;
  await s.sync();
  expect((await view(v)).arms).toMatchObject({ canary: { orders: tried, routed: 0, unroutable: tried, late: tried }, control: { orders: made.length - tried, routed: made.length - tried, late: 0 } });
  await s.skip(61 * MINUTE);
  await s.environment.client.workflow.getHandle(workflowId).result();
  const over = await view(v);
  expect(over).toMatchObject({ status: 'rolled_back', endedBy: 'system', nextLookAt: null, arms: { canary: { orders: tried, late: tried } } });
  expect(over.reason).toContain(`${tried} of ${tried} orders are late or cannot be routed instead of 0 of ${made.length - tried}`);
  expect(await events(v)).toEqual([['policy.canary_started', 'key:test'], ['policy.canary_rolled_back', 'system']]);
  for (let i = 0; i < 3; i++) expect(await policyOf(await s.order({ lines: [{ sku: s.sku(), quantity: 1, unitPrice: 100 }] }))).toBe('default@1');
  await expect(promoteCanary(s.world.store.writer, 'try', v, 'key:test')).rejects.toMatchObject({ code: 'conflict' });
});

test('two at once: one is refused; two looks at once roll back once; a look before its time judges nothing', async () => {
  const { writer, network } = s.world.store;
  const [a, b] = [await draft(), await draft()];
  await s.sync();
  const tries = await Promise.allSettled([start(a), start(b)]);
  expect(tries.map((t) => t.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(tries.find((t) => t.status === 'rejected')?.reason).toMatchObject({ code: 'conflict' });
  expect(await s.world.one(`select count(*)::int n from policy_canaries where status = 'running'`)).toEqual({ n: 1 });
  const v = tries[0]?.status === 'fulfilled' ? a : b;
  const canary = await view(v);
  const uuid = decodeId('can', canary.id) as string;
  await s.settleWorkflow(canaryWorkflowId(canary.id));
  await orders(canary.id, 6);
  await writer.pool.query('update routing_decisions d set money = money * 3 from routing_policies p where p.id = d.policy_id and p.code = \'try\' and p.version = $1', [v]);
  await s.sync();
  expect((await lookAtCanary(writer, network, uuid)).status).toBe('running');
  expect((await view(v)).looks).toBe(0);
  s.world.now = new Date(s.world.now.getTime() + 61 * MINUTE);
  const looks = await Promise.all([lookAtCanary(writer, network, uuid), lookAtCanary(writer, network, uuid)]);
  expect(looks).toEqual([{ status: 'rolled_back', wakeAt: null }, { status: 'rolled_back', wakeAt: null }]);
  expect((await view(v)).reason).toMatch(/^an order costs /);
  expect(await events(v)).toEqual([['policy.canary_started', 'key:test'], ['policy.canary_rolled_back', 'system']]);
  await s.skip(61 * MINUTE);
  await s.environment.client.workflow.getHandle(canaryWorkflowId(canary.id)).result();
});

test('one that is no worse ends with its time, without taking over; it may be promoted then, and is the policy of all orders', async () => {
  const { writer, network } = s.world.store;
  const v = await draft();
  const canary = await start(v);
  expect((await start(v)).id).toBe(canary.id); // the same again
  await expect(movePolicy(writer, 'try', v, 'active')).rejects.toMatchObject({ code: 'conflict' });
  await expect(writer.pool.query(`update routing_policies set body = '{}' where code = 'try' and version = $1`, [v])).rejects.toThrow('make a new version');
  const workflowId = canaryWorkflowId(canary.id);
  await s.settleWorkflow(workflowId);
  await orders(canary.id, 6);
  await s.skip((HOURS + 1) * 60 * MINUTE);
  await s.environment.client.workflow.getHandle(workflowId).result();
  expect(await view(v)).toMatchObject({ status: 'ended', reason: 'its time is over; it was not worse than its guard allows' });
  expect(network.policyAt(s.world.now).policy.code).toBe('default');
  await s.sync();
  await promoteCanary(writer, 'try', v, 'key:test');
  await promoteCanary(writer, 'try', v, 'key:test');
  await network.reload();
  expect(network.policyAt(s.world.now).policy).toMatchObject({ code: 'try', version: v });
  expect((await events(v)).map(([type]) => type)).toEqual(['policy.canary_started', 'policy.canary_ended', 'policy.canary_promoted']);
  await expect(rollBackCanary(writer, 'try', v, 'too late', 'key:test')).rejects.toMatchObject({ code: 'conflict' });
});

test('rolled back by hand: at once and for good; its workflow hears of it', async () => {
  const v = await draft();
  const canary = await start(v);
  await s.settleWorkflow(canaryWorkflowId(canary.id));
  await rollBackCanary(s.world.store.writer, 'try', v, 'not today', 'key:test');
  await rollBackCanary(s.world.store.writer, 'try', v, 'again', 'key:test');
  await s.settleWorkflow(canaryWorkflowId(canary.id));
  await s.environment.client.workflow.getHandle(canaryWorkflowId(canary.id)).result();
  expect(await view(v)).toMatchObject({ status: 'rolled_back', reason: 'not today', endedBy: 'key:test' });
});
