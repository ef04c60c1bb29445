import { isDecided } from '../../domain/channel/refund-scope.ts';
import type { SeenAfterSale } from '../../domain/channel/seen-order.ts';
import { Problem } from '../../domain/problem.ts';
import { interceptParcels } from '../orders/intercept.ts';
import { requestReturn } from '../returns/returns.ts';
import type { StockWriter } from '../stock-writer.ts';
import { letGoAgain, returnReason, stuck, waitForDecision, waitForLocations, type Heard, type Unfinished } from './after-sale.ts';
import { askedOf, goneOf, linesOf, openOf, parcelsOf, partsOf, readFamily, sumOf, unitsIn, type Family, type FamilyLine, type FamilyParcel } from './family.ts';
import { isPast, takeUnits, type Units } from './take-off.ts';

const isMoving = (p: FamilyParcel): boolean => !['delivered', 'returned', 'lost'].includes(p.milestone);
const isSentBack = (a: SeenAfterSale): boolean => a.status === 'goods_sent' || a.status === 'done';
type Wish = { parts: FamilyLine[]; units: number };

/** Units of our lines for units of platform lines; all where none are named. Parts of a line that do not divide are rounded up: the buyer sends whole SKUs. */
function wishes({ map }: Heard, afterSale: SeenAfterSale, family: Family): Wish[] {
  const wanted = afterSale.lines.length > 0 ? afterSale.lines : map.map((m) => ({ lineId: m.lineId, quantity: m.units }));
  return wanted.flatMap((w) => {
    const m = map.find((x) => x.lineId === w.lineId);
    return m === undefined ? [] : partsOf(linesOf(m, family.lines)).map((parts) => ({ parts, units: Math.min(unitsIn(parts), Math.ceil((unitsIn(parts) / m.units) * w.quantity)) }));
  });
}

/**
 * A return, an exchange or the like that began on the platform. Units that have arrived (or of which the platform says that the buyer has sent them back) become a return of ours, once. Of a return, not of an exchange, what is
 * on its way is turned round where nothing else is in the parcel, and what has not left is cancelled, both once it is agreed to; until then what has not left waits. The rest of the order goes on.
 */
export async function openReturn(writer: StockWriter, heard: Heard, afterSale: SeenAfterSale): Promise<Unfinished | null> {
  const family = await readFamily(writer.pool, heard.orderId);
  const parcels = await parcelsOf(writer.pool, family);
  const wanted = wishes(heard, afterSale, family);
  await openReturns(writer, heard, afterSale, family, parcels, wanted);
  if (afterSale.kind !== 'return') return null;
  const unsent = unsentOf(heard, afterSale, family);
  if (afterSale.status === 'requested') {
    if (unsent.length > 0) await waitForDecision(writer, family, heard, afterSale);
    return null;
  }
  if (!isSentBack(afterSale)) await turnRound(writer, heard, parcels, wanted);
  try {
    await takeUnits(writer, unsent, returnReason(afterSale), heard.actor);
  } catch (error) {
    isPast(error);
    await waitForDecision(writer, family, heard, afterSale);
    return stuck(afterSale, `gives units back that are packed: ${(error as Error).message}`);
  }
  const after = await readFamily(writer.pool, heard.orderId);
  const meant = new Set(wanted.flatMap((w) => w.parts.map((l) => l.lineNo)));
  if (after.lines.some((l) => meant.has(l.lineNo) && askedOf(after, l) > 0)) return waitForLocations(writer, after, heard, afterSale);
  await letGoAgain(writer, heard.orderId, afterSale, heard.actor);
  return null;
}

/** Units that returns mean, this one and those that were agreed to before, beyond what has left or is cancelled. */
function unsentOf(heard: Heard, afterSale: SeenAfterSale, family: Family): Units[] {
  const meant = new Map<number, Wish>();
  for (const a of heard.seen.afterSales.filter((x) => x.kind === 'return' && (x.id === afterSale.id || isDecided(x.status)))) {
    for (const w of wishes(heard, a, family)) meant.set(w.parts[0]?.lineNo ?? 0, { parts: w.parts, units: w.units + (meant.get(w.parts[0]?.lineNo ?? 0)?.units ?? 0) });
  }
  return [...meant.values()].flatMap(({ parts, units }) => {
    let left = units - sumOf(parts, (l) => l.issued + goneOf(family, l) + askedOf(family, l));
    return parts.flatMap((line): Units[] => {
      const quantity = Math.max(0, Math.min(left, openOf(family, line)));
      left -= quantity;
      return quantity > 0 ? [{ line, quantity }] : [];
    });
  });
}

async function openReturns(writer: StockWriter, { actor }: Heard, afterSale: SeenAfterSale, family: Family, parcels: readonly FamilyParcel[], wanted: readonly Wish[]): Promise<void> {
  const sentBack = isSentBack(afterSale);
  const reason = returnReason(afterSale);
  const { rows } = await writer.pool.query<{ order_id: string; line_no: number; units: number; own: boolean; pending: boolean }>(
    `select r.order_id, l.line_no, sum(l.quantity)::int units, r.reason = $2 own, r.status in ('requested', 'authorised', 'received', 'inspected') pending
     from return_lines l join returns r on r.id = l.return_id where r.order_id = any($1::uuid[]) group by 1, 2, 4, 5`, [family.holders.map((h) => h.orderId), reason]);
  const inReturns = (l: FamilyLine, which: 'own' | 'pending'): number => rows.filter((r) => r.order_id === l.at.orderId && r.line_no === l.at.lineNo && r[which]).reduce((sum, r) => sum + r.units, 0);
  const there = (l: FamilyLine): number => {
    const at = parcels.filter((p) => p.orderId === l.at.orderId && (p.milestone === 'delivered' || (sentBack && isMoving(p) && !p.asked && p.milestone !== 'returning')));
    return at.flatMap((p) => p.lines).reduce((sum, x) => sum + (x.lineNo === l.lineNo ? x.quantity : 0), 0) - l.returned - inReturns(l, 'pending');
  };
  const units = wanted.flatMap(({ parts, units: all }) => {
    let left = all - sumOf(parts, (l) => inReturns(l, 'own'));
    return parts.flatMap((l) => { const quantity = Math.max(0, Math.min(left, there(l))); left -= quantity; return quantity > 0 ? [{ at: l.at, quantity }] : []; });
  });
  for (const orderId of new Set(units.map((u) => u.at.orderId))) {
    const lines = units.filter((u) => u.at.orderId === orderId).map((u) => ({ line: u.at.lineNo, quantity: u.quantity }));
    await requestReturn(writer, orderId, { kind: afterSale.kind === 'return' ? 'refund' : 'exchange', reason, method: 'drop_off', lines, goodwill: true, ...(sentBack ? { sentBack } : {}) }, null, actor).catch((error: unknown) => {
      // Everything has been given back already.
      if (!(error instanceof Problem) || (error.code !== 'conflict' && error.code !== 'unprocessable')) throw error;
    });
  }
}

/** Parcels on their way with nothing in them but what comes back: the oldest first, no more than is wanted. */
async function turnRound(writer: StockWriter, { actor }: Heard, parcels: readonly FamilyParcel[], wanted: readonly Wish[]): Promise<void> {
  const inParcels = (some: readonly FamilyParcel[], lineNo: number): number => some.flatMap((p) => p.lines).reduce((sum, l) => sum + (l.lineNo === lineNo ? l.quantity : 0), 0);
  const arrived = parcels.filter((p) => !isMoving(p) || p.asked);
  const open = new Map(wanted.map(({ parts, units }) => [parts[0]?.lineNo ?? 0, units - inParcels(arrived, parts[0]?.lineNo ?? 0)]));
  for (const p of parcels.filter((x) => isMoving(x) && !x.asked && !x.strange)) {
    if (p.lines.length === 0 || p.lines.some((l) => l.quantity > (open.get(l.lineNo) ?? 0))) continue;
    for (const l of p.lines) open.set(l.lineNo, (open.get(l.lineNo) ?? 0) - l.quantity);
    await interceptParcels(writer, p.orderId, [p.id], actor);
  }
}
