import { limitLevels } from '../../../domain/stock/sharing.ts';
import { encodeId } from '../../../domain/ids.ts';
import { isPaymentDue } from '../../../domain/order/payment.ts';
import { offsetMinutes } from '../../../domain/promising/promise.ts';
import type { InstanceLocation } from '../../../domain/routing/model.ts';
import type { WaveInstance, WaveOrder } from '../../../domain/routing/wave/model.ts';
import type { Network } from '../../network.ts';
import { readLines, readOrder, type Order } from '../../orders/order.ts';
import { liveReservations, type Reservation } from '../../orders/reservations.ts';
import { freshLevels, unitsAt } from '../../orders/route-order.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import { rulings } from '../canary/ruling.ts';
import { buildInstance, type OpenLine, type Units } from '../instance.ts';

/** An order without stock of its own would cost so much, minor units: none does here, each has reserved all that it wants. */
const UNSERVED = { base: 100_000, perMilleOfValue: 1000 };

/** The orders of a wave that still wait, as an instance: what they have reserved and what is free and shared with all of their channels is there for all. Null: fewer than two wait. */
export async function prepareWave(writer: StockWriter, network: Network, waveId: string): Promise<WaveInstance | null> {
  return writer.change(async (tx) => {
    const ids = (await tx.query<{ id: string }>(
      `select o.id from wave_orders w join orders o on o.id = w.order_id where w.wave_id = $1 and o.wave_id = w.wave_id and o.status = 'confirmed' and o.hold_reason is null and o.validated_at is not null and o.route_after > $2 order by o.route_after, o.id`, [waveId, tx.now])).map((r) => r.id);
    if (ids.length < 2) return null;
    // Those that a canary has begun or ceased to rule since they were gathered go alone.
    const ruling = await rulings(tx, network.policyAt(tx.now));
    const { id: ruler, policy } = ruling(ids[0] as string);
    const orders: WaveOrder[] = [];
    const units: Units[] = [];
    const free = new Map<string, Units>();
    const everything: OpenLine[] = [];
    let first: Order | null = null;
    for (const id of ids.filter((i) => ruling(i).id === ruler)) {
      const order = await readOrder(tx, id);
      if (!order) continue;
      first ??= order;
      const own = (await liveReservations(tx, id)).filter((r) => r.fulfillmentOrderId === null && r.status === 'confirmed' && !r.incoming);
      const lines = await openLines(tx, order, own);
      if (lines.length === 0) continue;
      everything.push(...lines);
      units.push(...own.map((r) => ({ skuId: r.skuId, locationId: r.locationId, units: r.quantity })));
      // What one channel may have, all may: routing itself holds each order to what its channel is given.
      for (const u of unitsAt(limitLevels(await freshLevels(tx, order, network, own), network.sharing(order.channelId, tx.now)), [])) {
        const key = `${u.locationId}|${u.skuId}`;
        const known = free.get(key);
        if (!known || known.units < u.units) free.set(key, u);
      }
      const instance = await buildInstance(tx, network, policy, order, lines, [], []);
      const mergeKey = keyOf(order);
      orders.push({ id: encodeId('ord', id), order: { ...instance.order, promisedBy: byClockOf(network, first, order)?.toISOString() ?? null }, ...(mergeKey === null ? {} : { mergeKey }) });
    }
    if (!first || orders.length < 2) return null;
    const { locations, rates } = await buildInstance(tx, network, policy, { ...first, forcedLocationId: null, forcedCarrier: null, scheduledFrom: null }, everything, [...units, ...free.values()], []);
    return { orders, locations: locations.map(withoutOpportunity), rates, policy, unserved: UNSERVED };
  });
}

/** The promise of an order as if it ended by the clock of the first one's destination: by that one the wave's locations hand over (`leavesAt`), and promises end at the same hour, each by its own. */
function byClockOf(network: Network, first: Order, order: Order): Date | null {
  if (!order.deliverBy) return null;
  const clock = ({ country, province, city }: Order, at: Date): number => offsetMinutes(network.zoneOf(network.place(country, province, city)) ?? 'UTC', at.getTime());
  return new Date(order.deliverBy.getTime() + (clock(order, order.deliverBy) - clock(first, first.deliverBy ?? order.deliverBy)) * 60_000);
}

/** Only the first order's margins are known here, and last units are priced again when each is routed. */
function withoutOpportunity(location: InstanceLocation): InstanceLocation {
  return { ...location, stock: Object.fromEntries(Object.entries(location.stock).map(([sku, { opportunity: _opportunity, ...stock }]) => [sku, stock])) };
}

/** Who may leave in one parcel: one channel's orders of one person to one address (by the platform's token, where it seals them), paid the same way. */
function keyOf(order: Order): string | null {
  if (!order.addressHash || isPaymentDue(order.paymentStatus) || order.type === 'resend' || order.parentId !== null) return null;
  return [order.channelId, order.personId, order.addressHash.toString('hex'), order.type, order.paymentStatus, order.currency].join('|');
}

async function openLines(tx: Tx, order: Order, own: readonly Reservation[]): Promise<OpenLine[]> {
  const reserved = new Map<number, number>();
  for (const r of own) reserved.set(r.lineNo, (reserved.get(r.lineNo) ?? 0) + r.quantity);
  return (await readLines(tx.client, order.id)).flatMap((line) => { const quantity = reserved.get(line.lineNo) ?? 0; return quantity > 0 && line.skuId !== null ? [{ line, quantity }] : []; });
}
