import { isDecided, refundScope, type RefundScope } from '../../domain/channel/refund-scope.ts';
import type { SeenAfterSale, SeenOrder } from '../../domain/channel/seen-order.ts';
import type { Network } from '../network.ts';
import { DISPUTE, holdDisputed } from '../orders/dispute.ts';
import { releaseOrder } from '../orders/hold-order.ts';
import { lockOrder } from '../orders/order.ts';
import { endReturn } from '../returns/returns.ts';
import type { StockWriter } from '../stock-writer.ts';
import { encodeId } from '../../domain/ids.ts';
import { askedOf, goneOf, linesOf, openOf, ordersOf, partsOf, readFamily, sumOf, unitsIn, type Family } from './family.ts';
import type { LineMap } from './intake.ts';
import { cancelAll, cancelUnitsOf, isPast, refundAll } from './take-off.ts';

/** An order as it was captured, and what its platform shows of it now. */
export type Heard = { orderId: string; map: readonly LineMap[]; seen: SeenOrder; actor: string };
/** What somebody must see to. `holds`: details of the disputes for which the order waits until then. */
export type Wrong = { why: string; holds?: readonly string[] };
/** What becomes of a step that is not over: somebody sees to it, or (`asked`) locations of ours have been asked for units of it, and once they have answered the order is read again. */
export type Unfinished = Wrong | 'asked';

/** Detail of the dispute about an order that its platform has cancelled. */
const CANCELLED_THERE = 'cancelled on the platform';
const holdReason = (afterSale: { id: string }): string => `after-sale ${afterSale.id}`;
export const returnReason = (afterSale: { id: string }): string => `after-sale ${afterSale.id} on the platform`;

/** The order waits, as far as it has not left, while the platform decides. */
export async function waitForDecision(writer: StockWriter, family: Family, heard: Heard, afterSale: SeenAfterSale): Promise<void> {
  await wait(writer, family, heard, holdReason(afterSale), true);
}
/** It waits while locations have not answered, though the platform has decided: they hand over nothing of it meanwhile. */
export async function waitForLocations(writer: StockWriter, family: Family, heard: Heard, afterSale: SeenAfterSale): Promise<'asked'> {
  await wait(writer, family, heard, holdReason(afterSale), false);
  return 'asked';
}
async function wait(writer: StockWriter, family: Family, { seen, actor }: Heard, detail: string, ask: boolean): Promise<void> {
  if (seen.fulfilledBy === 'platform') return; // its own warehouse asks nobody
  for (const h of family.holders) if (!h.over) await holdDisputed(writer, h.orderId, detail, actor, ask);
}

/** What somebody must see to of an after-sale: the order waits until then. */
export const stuck = (afterSale: { id: string }, why: string): Wrong => ({ why: `${holdReason(afterSale)} ${why}`, holds: [holdReason(afterSale)] });

/**
 * Money back without goods. While it is only asked for the order waits; once it is agreed to, what it takes off the order is cancelled: everything, or some units, or (a refund of the freight, of an amount) nothing at all. What
 * has left already follows the platform's own decision. Returns what it could not do.
 */
export async function refundAfterSale(writer: StockWriter, network: Network, heard: Heard, afterSale: SeenAfterSale): Promise<Unfinished | null> {
  const { orderId, map, seen, actor } = heard;
  const family = await readFamily(writer.pool, orderId);
  const scope = refundScope(seen, afterSale, map.map((m) => ({ lineId: m.lineId, units: m.units, ordered: m.ordered ?? m.units })), leftOfPaid(family));
  if (afterSale.status === 'requested') {
    if (scope.takes !== 'money') await waitForDecision(writer, family, heard, afterSale);
    return null;
  }
  const left = await takeOff(writer, network, heard, afterSale, family, scope);
  if (left === 'later') return null;
  if (left === 'asked') return waitForLocations(writer, family, heard, afterSale);
  if (left) {
    await waitForDecision(writer, family, heard, afterSale);
    return left;
  }
  await letGoAgain(writer, orderId, afterSale, actor);
  return null;
}

/** Takes off what a refund takes that was agreed to; `later`: the platform tells which units when it is done. */
async function takeOff(writer: StockWriter, network: Network, { orderId, map, seen, actor }: Heard, afterSale: SeenAfterSale, family: Family, scope: RefundScope): Promise<Unfinished | 'later' | null> {
  const reason = afterSale.reason || 'after-sale on the platform';
  const open = sumOf(family.lines, (l) => openOf(family, l) + askedOf(family, l));
  if (scope.takes === 'money') {
    await noteMoney(writer, orderId, afterSale, seen.currency, actor);
    return null;
  }
  if (open === 0 && family.holders.every((h) => !h.moving)) return null;
  if (scope.takes === 'unknown') {
    return open === 0 ? null : stuck(afterSale, 'pays back an amount that nobody tells: cancel what is not to be sent');
  }
  if (scope.takes !== 'units') {
    const { packed, asked } = await refundAll(writer, network, orderId, reason, actor);
    if (packed > 0) return stuck(afterSale, `pays ${packed} units back that are packed with another order's goods: take them out`);
    return asked > 0 ? 'asked' : null;
  }
  // Of a line of which a part has left nobody but the platform knows whether the refund means those units or the others.
  const unclear = seen.refundsTellUnits === true ? [] : map.filter((m) => linesOf(m, family.lines).some((l) => l.issued > 0)).map((m) => m.lineId);
  const lines = scope.lines.filter((l) => !unclear.includes(l.lineId)).map((l) => ({ ...l, cancelled: Math.min(l.cancelled - returnedOf(map, family, l.lineId), mostOf(map, family, l.lineId)) }));
  try {
    if (await cancelUnitsOf(writer, orderId, lines, map, actor) > 0) return 'asked';
  } catch (error) {
    isPast(error);
    return stuck(afterSale, `pays units back that are packed: ${(error as Error).message}`);
  }
  const waits = map.some((m) => unclear.includes(m.lineId) && scope.lines.some((l) => l.lineId === m.lineId) && linesOf(m, family.lines).some((l) => openOf(family, l) > 0));
  return waits && afterSale.status !== 'done' ? 'later' : null;
}

/** Units of the platform's line that have come back: their refund takes nothing off what is still to be sent. */
function returnedOf(map: readonly LineMap[], family: Family, lineId: string): number {
  return leastOf(map, family, lineId, (parts) => sumOf(parts, (l) => l.returned));
}
/** Units of it that have not left. */
function mostOf(map: readonly LineMap[], family: Family, lineId: string): number {
  return leastOf(map, family, lineId, (parts) => unitsIn(parts) - sumOf(parts, (l) => l.issued));
}
function leastOf(map: readonly LineMap[], family: Family, lineId: string, of: (parts: Family['lines']) => number): number {
  const m = map.find((x) => x.lineId === lineId);
  const all = m === undefined ? [] : partsOf(linesOf(m, family.lines));
  return m === undefined || all.length === 0 ? 0 : Math.min(...all.map((parts) => Math.floor((of(parts) * m.units) / unitsIn(parts))));
}

/** What was paid for units that are not cancelled, minor units. */
const leftOfPaid = (family: Family): number => sumOf(family.lines, (l) => Math.floor((l.priced.netAmount * (l.quantity - goneOf(family, l))) / l.quantity));

/** Money that was given back without units stands on the order's timeline, once. */
async function noteMoney(writer: StockWriter, orderId: string, afterSale: SeenAfterSale, currency: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    await lockOrder(tx, orderId);
    const known = await tx.one(`select 1 from order_events where order_id = $1 and type = 'refund.given' and data ->> 'afterSale' = $2`, [orderId, afterSale.id]);
    if (!known) await tx.event(orderId, 'refund.given', actor, { afterSale: afterSale.id, amount: afterSale.amount, currency });
  });
}

/** The order goes on, as far as it waited for this after-sale. */
export const letGoAgain = (writer: StockWriter, orderId: string, afterSale: { id: string; status: string }, actor: string): Promise<void> => letGo(writer, orderId, holdReason(afterSale), `the after-sale is ${afterSale.status}`, actor);

async function letGo(writer: StockWriter, orderId: string, detail: string, note: string, actor: string): Promise<void> {
  const { rows } = await writer.pool.query<{ id: number; order_id: string }>(
    'select id, order_id from order_holds where order_id = any($1::uuid[]) and reason = any($2::text[]) and detail = $3 and released_at is null', [await ordersOf(writer.pool, orderId), ['manual', DISPUTE], detail]);
  for (const { id, order_id: on } of rows) await releaseOrder(writer, on, note, actor, Number(id)).catch(isPast);
}

/** Nobody decides on these disputes any more: the platform's order is over, or somebody has seen to them. */
export async function forgetDisputes(writer: StockWriter, orderId: string, holds: Iterable<string>, actor: string): Promise<void> {
  for (const detail of new Set(holds)) await letGo(writer, orderId, detail, 'it is decided', actor);
}

/** The platform's order is cancelled, and its after-sales (`ids`) are decided with it: once all of it is taken off nothing waits for them any more. */
export async function endCancelled(writer: StockWriter, network: Network, heard: Heard, lateCancel: 'refuse' | undefined, ids: readonly string[]): Promise<Unfinished | null> {
  const { orderId, actor } = heard;
  const { packed, asked } = await cancelAll(writer, network, orderId, lateCancel, actor);
  const holds = [CANCELLED_THERE, ...ids.map((id) => holdReason({ id }))];
  if (packed + asked === 0) {
    await forgetDisputes(writer, orderId, holds, actor);
    return null;
  }
  await wait(writer, await readFamily(writer.pool, orderId), heard, CANCELLED_THERE, false);
  return packed === 0 ? 'asked' : { why: `it is cancelled on the platform, and ${packed} units of it are packed with another order's goods: take them out`, holds };
}

/** It was withdrawn or refused: the order goes on, and a return that nobody has sent yet is off. Returns what is missing where the platform still waits for units that are cancelled here. */
export async function closeAfterSale(writer: StockWriter, { orderId, map, seen, actor }: Heard, afterSale: SeenAfterSale): Promise<Wrong | null> {
  await letGoAgain(writer, orderId, afterSale, actor);
  const family = await readFamily(writer.pool, orderId);
  const { rows } = await writer.pool.query<{ id: string }>(`select id from returns where order_id = any($1::uuid[]) and reason = $2 and status in ('requested', 'authorised')`, [family.holders.map((h) => h.orderId), returnReason(afterSale)]);
  for (const { id } of rows) await endReturn(writer, encodeId('rma', id), 'cancelled', `the after-sale is ${afterSale.status} on the platform`, actor).catch(isPast);
  if (seen.status === 'shipped' || seen.status === 'done') return null;
  // What others have paid back already, and the platform's lines do not show (yet).
  const others = seen.afterSales.filter((a) => isDecided(a.status) && (a.status !== 'done' || seen.refundsTellUnits === true)).flatMap((a) => a.lines);
  const short = map.filter((m) => afterSale.lines.length === 0 || afterSale.lines.some((l) => l.lineId === m.lineId)).flatMap((m) => {
    const shown = seen.lines.filter((l) => l.lineId === m.lineId).reduce((sum, l) => sum + Math.max(0, l.quantity - l.cancelled), 0);
    const there = Math.min(m.units, shown - others.reduce((sum, l) => sum + (l.lineId === m.lineId ? l.quantity : 0), 0));
    const here = leastOf(map, family, m.lineId, (parts) => unitsIn(parts) - sumOf(parts, (l) => goneOf(family, l) + askedOf(family, l)));
    return there > here ? [`line ${m.lineId}: ${there} (${here})`] : [];
  });
  return short.length === 0 ? null : { why: `${holdReason(afterSale)} is ${afterSale.status}, and the platform waits for units that are cancelled here: ${short.join(', ')}` };
}
