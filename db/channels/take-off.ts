import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import { afterRefusals, cancelLines } from '../orders/cancel-lines.ts';
import { cancelMember } from '../orders/cancel-member.ts';
import { interceptParcels } from '../orders/intercept.ts';
import { requestRefund } from '../orders/refund-request.ts';
import type { StockWriter } from '../stock-writer.ts';
import { askedOf, goneOf, linesOf, openOf, parcelsOf, partsOf, readFamily, sumOf, unitsIn, type Family, type FamilyLine } from './family.ts';
import type { LineMap } from './intake.ts';

/** A conflict says that the order is past this step already: a location has it, or it is over. */
export function isPast(error: unknown): void {
  if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
}

/** Orders on which locations or carriers are at work: their units are taken last. */
const AT_WORK: ReadonlySet<string> = new Set(['in_fulfillment', 'partially_shipped', 'shipped']);

export type Units = { line: FamilyLine; quantity: number };
/** Units that could not be taken off: those packed together with others' goods, and those that locations have been asked for. */
export type Rest = { packed: number; asked: number };
const NO_REST: Rest = { packed: 0, asked: 0 };

/** Which units of our lines to cancel so that so many of the platform's are. Throws `conflict` when not as many can be. */
function unitsToTake(family: Family, cancelled: readonly { lineId: string; cancelled: number }[], map: readonly LineMap[]): Units[] {
  const busy = new Set(family.holders.filter((h) => AT_WORK.has(h.status)).map((h) => h.orderId));
  return cancelled.flatMap((c) => {
    const m = map.find((x) => x.lineId === c.lineId);
    return m === undefined ? [] : partsOf(linesOf(m, family.lines)).flatMap((parts) => {
      const whole = unitsIn(parts);
      let left = Math.min(whole, Math.floor((whole / m.units) * c.cancelled)) - sumOf(parts, (l) => goneOf(family, l) + askedOf(family, l));
      const taken = parts.toSorted((a, b) => Number(busy.has(a.at.orderId)) - Number(busy.has(b.at.orderId))).flatMap((line): Units[] => {
        const quantity = Math.max(0, Math.min(left, openOf(family, line)));
        left -= quantity;
        return quantity > 0 ? [{ line, quantity }] : [];
      });
      if (left > 0) throw new Problem('conflict', `of line ${c.lineId} ${left} more units are cancelled on the platform than are here: they have left`);
      return taken;
    });
  });
}

/**
 * Cancels units, order by order: those that no location works on at once, others when their location gives them back. Whoever has refused is not asked again. The reference names from where to where, and after how many refusals:
 * another attempt at the same step is the same one, an attempt after a refusal is not. Throws `conflict` when not all can be had.
 */
export async function takeUnits(writer: StockWriter, units: readonly Units[], reason: string, actor: string): Promise<void> {
  for (const orderId of new Set(units.map((u) => u.line.at.orderId))) {
    const here = units.filter((u) => u.line.at.orderId === orderId);
    const reference = `platform ${here.map((u) => `${u.line.at.lineNo}:${u.line.cancelled + u.line.wanted}+${u.quantity}`).join(' ')}${await afterRefusals(writer.pool, orderId)}`;
    await cancelLines(writer, orderId, { reference, reason, lines: here.map((u) => ({ line: u.line.at.lineNo, quantity: u.quantity })), once: true }, actor);
  }
}

/**
 * Cancels units that the platform has taken off an order, wherever they are now. The platform's figure is the whole of what is cancelled, so once is as good as twice. Returns how many units of these lines locations are asked for.
 * Throws `conflict` when they are packed or have left.
 */
export async function cancelUnitsOf(writer: StockWriter, orderId: string, cancelled: readonly { lineId: string; cancelled: number }[], map: readonly LineMap[], actor: string): Promise<number> {
  await takeUnits(writer, unitsToTake(await readFamily(writer.pool, orderId), cancelled, map), 'units cancelled on the platform', actor);
  const after = await readFamily(writer.pool, orderId);
  return sumOf(map.filter((m) => cancelled.some((c) => c.lineId === m.lineId && c.cancelled > 0)).flatMap((m) => linesOf(m, after.lines)), (l) => askedOf(after, l));
}

/**
 * The buyer has everything back. What has not left is cancelled, what is on its way is turned round; of an order that others were merged with (or that it was merged into) only its own goods, and only parcels with nothing else in
 * them. Returns what is left of it.
 */
export async function refundAll(writer: StockWriter, network: Network, orderId: string, reason: string, actor: string): Promise<Rest> {
  const before = await readFamily(writer.pool, orderId);
  for (const h of before.holders) if (!h.shared && !h.over) await requestRefund(writer, h.orderId, reason, actor).catch(isPast);
  if (before.holders.every((h) => !h.shared)) return NO_REST;
  for (const member of before.members) await cancelMember(writer, network, member, reason, actor, { once: true }).catch(isPast);
  const shared = before.holders.filter((h) => h.shared).map((h) => h.orderId);
  // Where goods of it have left the rest goes by itself.
  const family = await readFamily(writer.pool, orderId);
  for (const id of shared) {
    const rest = family.lines.filter((l) => l.at.orderId === id && openOf(family, l) > 0).map((line) => ({ line, quantity: openOf(family, line) }));
    await takeUnits(writer, rest, reason, actor).catch(isPast);
  }
  const parcels = (await parcelsOf(writer.pool, family)).filter((p) => !p.strange && shared.includes(p.orderId));
  for (const id of shared) await interceptParcels(writer, id, parcels.filter((p) => p.orderId === id).map((p) => p.id), actor);
  const after = await readFamily(writer.pool, orderId);
  const there = after.lines.filter((l) => shared.includes(l.at.orderId));
  return { packed: sumOf(there, (l) => openOf(after, l)), asked: sumOf(there, (l) => askedOf(after, l)) };
}

/**
 * Cancelled on the platform: every part of it, wherever it is. Where goods have left, or a location has them, the money is given back whatever the location says: its buyer has it already. `lateCancel`: it is only asked, and
 * nothing changes where goods have left. Returns what is left of it.
 */
export async function cancelAll(writer: StockWriter, network: Network, orderId: string, lateCancel: 'refuse' | undefined, actor: string): Promise<Rest> {
  const { members, lines } = await readFamily(writer.pool, orderId);
  if (lateCancel === 'refuse' && lines.some((l) => l.issued > 0)) return NO_REST;
  let late = false;
  for (const member of members) {
    const outcome = await cancelMember(writer, network, member, 'cancelled on the platform', actor, { once: true }).catch(isPast);
    if (outcome !== 'cancelled') late = true;
  }
  return late && lateCancel !== 'refuse' ? refundAll(writer, network, orderId, 'cancelled on the platform', actor) : NO_REST;
}
