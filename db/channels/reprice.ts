import type { SeenOrder } from '../../domain/channel/seen-order.ts';
import { Problem } from '../../domain/problem.ts';
import type { Channel } from '../network.ts';
import { repriceOrder } from '../orders/reprice-order.ts';
import type { ApplyDeps, Known } from './capture-order.ts';
import { checkFloors } from './hold.ts';
import { toIntake } from './intake.ts';
import { listingsOf } from './listings.ts';

/**
 * The platform has changed what an unpaid order costs (改价): ours costs that, too, by the lines that it was captured with, whatever its listings sell by now. Throws Hold where that is below a floor: the price is the
 * buyer's all the same, but it does not leave at it.
 */
export async function reprice({ writer, network }: ApplyDeps, channel: Channel, seen: SeenOrder, known: Known, actor: string): Promise<void> {
  await repriceOrder(writer, network, known.orderId, (skus) => {
    const listings = new Map(known.map.map((m) => [m.listing, { components: m.components.map((c, i) => ({ sku: { code: skus.get(m.first + i) ?? '' }, quantity: c.quantity })) }]));
    const of = new Map(known.map.map((m) => [m.lineId, m]));
    const there = seen.lines.filter((l) => l.quantity > l.cancelled);
    if (there.length === 0 || there.some((l) => of.get(l.lineId)?.listing !== l.platformSku)) throw new Problem('conflict', 'the order has other lines on its platform than it was captured with: its price cannot follow');
    // In the order of the lines that they became.
    const lines = [...seen.lines].sort((a, b) => (of.get(a.lineId)?.first ?? 0) - (of.get(b.lineId)?.first ?? 0));
    return toIntake(channel.code, { ...seen, lines }, listings).intake;
  }, actor);
  checkFloors(seen, await listingsOf(writer.pool, network, channel.id, seen.lines, false, writer.clock()));
}
