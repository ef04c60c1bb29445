import { encodeId } from '../../domain/ids.ts';
import { hurried, type Hurry } from '../../domain/promising/hurry.ts';
import type { InstancePlan } from '../../domain/routing/model.ts';
import { planOrder } from '../../domain/routing/plan.ts';
import { limitLevels } from '../../domain/stock/sharing.ts';
import type { Network } from '../network.ts';
import { gaveBack, readFulfillments, readLines, type Order } from '../orders/order.ts';
import { askBack, sortPlan, unplan } from '../orders/replan.ts';
import { liveReservations } from '../orders/reservations.ts';
import { freshLevels, unitsAt } from '../orders/route-order.ts';
import { rulingPolicy } from '../routing/canary/ruling.ts';
import { buildInstance, type OpenLine } from '../routing/instance.ts';
import type { Tx } from '../tx.ts';
import type { Part } from './expected.ts';

const DAY_MS = 86_400_000;
type Outcome = { found: boolean; reason: string; arrivesBy?: string; extraCost?: number; asked?: string[]; taken?: string[] };

/**
 * Looks whether the late parts of an order can come sooner from elsewhere (`re_source`: by the same services) or by a faster one (`upgrade`: for at most `most` minor units more than the cheapest
 * plan); if so, gives up their plans, or asks their locations for them, waits for no stop any more, and lets routing hurry. The next routing decides on fresh stock.
 */
export async function planAnew(
  tx: Tx, network: Network, order: Order, parts: readonly Part[], how: { do: 're_source'; latenessPerDay: number } | { do: 'upgrade'; most: number }, promisedBy: Date,
): Promise<Outcome> {
  const late = parts.filter((p) => p.movable && (p.expectedBy === null || p.expectedBy > promisedBy));
  if (late.length === 0) return { found: false, reason: 'nothing that is late can still be moved' };
  const all = await readFulfillments(tx.client, order.id);
  const plans = all.filter((f) => late.some((p) => p.fulfillmentOrderId === f.id));
  const code = (id: number): string => network.locationById.get(id)?.code ?? '';
  const hurry: Hurry = how.do === 're_source'
    ? { latenessPerDay: how.latenessPerDay, services: [...new Set([...plans.map((f) => f.service), ...(late.some((p) => p.unplaced) ? ['standard'] : [])])].sort(), exclude: [...new Set(late.flatMap((p) => p.locationId ?? []))].map(code).sort() }
    : { latenessPerDay: how.most };
  const preview = await previewPlans(tx, network, order, late.map((p) => p.fulfillmentOrderId), all.filter((f) => gaveBack(f, tx.now)).map((f) => f.locationId), hurry);
  if (!preview) return { found: false, reason: 'no other place has it all' };
  const arrives = Math.max(...preview.quick.shipments.map((s) => Date.parse(s.arrivesAt)));
  const expected = Math.max(...late.map((p) => p.expectedBy?.getTime() ?? Infinity));
  if (arrives > promisedBy.getTime() && arrives > expected - DAY_MS) return { found: false, reason: 'no plan is a day faster' };
  const extraCost = Math.round(costOf(preview.quick) - costOf(preview.plain));
  if (how.do === 'upgrade' && extraCost > how.most) return { found: false, reason: `the faster plan costs ${extraCost} more, ${how.most} is allowed`, extraCost };
  const { own, askable } = sortPlan(plans);
  await tx.query('update orders set hurry = $2, route_after = case when routing_waits is null then route_after end, routing_waits = null where id = $1', [order.id, JSON.stringify(hurry)]);
  if (own.length > 0) await unplan(tx, order.id, own, 'the promise is at risk');
  if (askable.length > 0) await askBack(tx, askable, 'the promise is at risk');
  return {
    found: true, reason: how.do === 're_source' ? 'another place is faster' : 'a faster service', arrivesBy: new Date(arrives).toISOString(), extraCost,
    taken: own.map((f) => encodeId('ful', f.id)), asked: askable.map((f) => encodeId('ful', f.id)),
  };
}

/** A plan's money without what its lateness is weighed with. */
function costOf(plan: InstancePlan): number { return plan.cost - plan.shipments.reduce((sum, s) => sum + s.terms.lateness, 0); }

async function previewPlans(tx: Tx, network: Network, order: Order, planIds: readonly (string | null)[], excluded: readonly number[], hurry: Hurry): Promise<{ quick: InstancePlan; plain: InstancePlan } | null> {
  const own = (await liveReservations(tx, order.id)).filter((r) => r.status === 'confirmed' && !r.incoming && planIds.includes(r.fulfillmentOrderId));
  const units = new Map<number, number>();
  for (const r of own) units.set(r.lineNo, (units.get(r.lineNo) ?? 0) + r.quantity);
  const lines = (await readLines(tx.client, order.id)).flatMap((line): OpenLine[] => { const quantity = units.get(line.lineNo) ?? 0; return quantity > 0 ? [{ line, quantity }] : []; });
  if (lines.length === 0) return null;
  const levels = limitLevels(await freshLevels(tx, order, network, own), network.sharing(order.channelId, tx.now));
  const { policy } = await rulingPolicy(tx, order.id, network.policyAt(tx.now));
  const instance = await buildInstance(tx, network, policy, order, lines, unitsAt(levels, own), excluded);
  const quick = planOrder(hurried(instance, hurry));
  return quick.unallocated.length > 0 ? null : { quick, plain: planOrder(instance) };
}
