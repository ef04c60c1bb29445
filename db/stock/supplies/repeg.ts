import { limitLevels } from '../../../domain/stock/sharing.ts';
import type { Network } from '../../network.ts';
import { lockOrder, refreshStatus, type Order } from '../../orders/order.ts';
import { freeChain, lastsUntil } from '../../orders/order-pools.ts';
import { GAVE_BACK_TO } from '../../orders/gave-back.ts';
import { repayBorrowed } from '../allotments/borrowings.ts';
import type { Tx } from '../../tx.ts';
import { moveClaims } from './move-claims.ts';
import type { Claim, SupplyLevel } from './supply.ts';

/** Levels where claims of a supply may find other units: what is there and, where it is `incoming` too, what other supplies bring. To be locked before `repegClaims`. */
export async function otherLevels(tx: Tx, supplyId: number, levels: readonly SupplyLevel[], incoming: boolean): Promise<number[]> {
  const rows = await tx.query<{ id: number }>(
    `select v.id from stock_levels v join supplies p on p.id = v.supply_id
     where v.sku_id = any($1::int[]) and v.condition = 'sellable' and v.supply_id <> $2 and v.on_hand - v.reserved - v.buffer > 0
       and (v.supply_id = 0 or ($4 and p.status = 'open' and p.expected_at > $3)) order by v.id`, [[...new Set(levels.map((l) => l.skuId))], supplyId, tx.now, incoming]);
  return rows.map((r) => r.id);
}

type Other = { id: number; skuId: number; locationId: number; allotmentId: number; supply: string; free: number };

/**
 * Gives claims of a supply other units, the most urgent first: those that are there before those of other supplies that come in time: by `until` or by the
 * order's ship-by date, within the horizon of its channel (null: only those there). Never of a location that gave the order back, nor more than a location shares. Orders and levels are locked. Returns how many units found others; the claims keep what is left.
 */
export async function repegClaims(
  tx: Tx, network: Network, supply: { id: number; reference: string }, levels: readonly SupplyLevel[], claims: readonly Claim[], until: Date | null, actor: string,
): Promise<number> {
  let repegged = 0;
  for (const claim of claims) {
    const level = levels.find((l) => l.id === claim.levelId);
    if (claim.lease || !level || level.condition !== 'sellable') continue;
    const order = await lockOrder(tx, claim.owner);
    const inTime = until && latest(network, order, until, tx.now);
    const found = await tx.query<Other>(
      `select v.id, v.sku_id "skuId", v.location_id "locationId", v.allotment_id "allotmentId", p.reference supply, v.on_hand - v.reserved - v.buffer free
       from stock_levels v join lots on lots.id = v.lot_id join supplies p on p.id = v.supply_id join locations l on l.id = v.location_id and l.active
       where v.sku_id = $2 and v.condition = 'sellable' and v.allotment_id = any($3::int[]) and v.supply_id <> $4 and v.on_hand - v.reserved - v.buffer > 0
         and (v.supply_id = 0 or (p.status = 'open' and p.expected_at > $5 and p.expected_at <= $6)) and coalesce($7::int, v.location_id) = v.location_id
         and lots.recalled_at is null and (lots.expires_on is null or lots.expires_on >= $8::date) and not ${GAVE_BACK_TO('$1', '$5')}
       order by v.supply_id <> 0, array_position($3::int[], v.allotment_id), p.expected_at, lots.expires_on nulls last, v.id`,
      [order.id, level.skuId, freeChain(network, order.allotmentId), supply.id, tx.now, inTime, order.forcedLocationId, lastsUntil(network, order.channelId, tx.now)]);
    const share = network.sharing(order.channelId, tx.now);
    if (share) await network.skusById([level.skuId]);
    const before = claim.quantity;
    for (const other of limitLevels(found.filter((l) => !network.blocked(l.locationId, l.skuId, tx.now)), share)) {
      const units = Math.min(claim.quantity, other.free);
      if (units <= 0) continue;
      await repayBorrowed(tx, order.id, [{ levelId: level.id, units }]);
      await tx.post('repeg', order.id, [{ levelId: level.id, onHand: 0, reserved: -units }, { levelId: other.id, onHand: 0, reserved: units }]);
      await moveClaims(tx, [{ claim, units }], other.id);
      level.reserved -= units;
      await tx.event(order.id, 'order.repegged', actor, { from: supply.reference, to: other.supply === '' ? 'stock' : other.supply, units });
    }
    if (claim.quantity === before) continue;
    repegged += before - claim.quantity;
    await refreshStatus(tx, order, actor);
    await tx.wake(order.id, order.shipBy);
  }
  return repegged;
}

/** Until when units may come for an order: `until`, or its ship-by date where that is later; not beyond what its channel sells ahead. */
function latest(network: Network, order: Order, until: Date, now: Date): Date {
  const horizon = now.getTime() + (network.channelById.get(order.channelId)?.supplyHorizonS ?? 0) * 1000;
  return new Date(Math.min(horizon, Math.max(until.getTime(), order.shipBy?.getTime() ?? 0)));
}

/** Tells the orders that still have units on a supply that these come later; `to` null: nobody knows when. Returns how many orders were told. */
export async function warnLate(tx: Tx, reference: string, claims: readonly Claim[], dates: { from: Date; to: Date | null }, actor: string): Promise<number> {
  const units = new Map<string, number>();
  for (const c of claims) if (!c.lease && c.quantity > 0) units.set(c.owner, (units.get(c.owner) ?? 0) + c.quantity);
  for (const [orderId, count] of units) {
    await tx.event(orderId, 'supply.late', actor, { supply: reference, units: count, from: dates.from.toISOString(), to: dates.to?.toISOString() ?? null });
    await tx.wake(orderId);
  }
  return units.size;
}
