import { ensureLevels, type Leg } from '../ledger.ts';
import type { Reservation } from '../orders/reservations.ts';
import type { Tx } from '../tx.ts';

/** Units that leave the sellable stock go to this condition; null: they are nowhere to be found. */
const GOES_TO: Readonly<Record<string, 'damaged' | 'quarantine' | null>> = { damaged: 'damaged', mismatch: 'quarantine', not_found: null };

/** Whether a reason says that the units are not what the book says. */
export function takesStock(reason: string): boolean { return Object.hasOwn(GOES_TO, reason); }

/**
 * What a rejection says about stock that is off the sellable shelf by now: damaged units lie in that condition, mismatched ones wait in quarantine until somebody has looked at them,
 * with the lot they had; what was not found is nowhere. Where the book was wrong a recount of the SKU is asked for, one at a time, with all that was missing.
 */
export async function bookRejected(tx: Tx, orderId: string, own: readonly Reservation[], reason: string): Promise<void> {
  if (!takesStock(reason) || own.length === 0) return;
  const lots = new Map((await tx.query<{ id: number; lot: number }>('select id, lot_id lot from stock_levels where id = any($1::bigint[])', [own.map((r) => r.levelId)])).map((l) => [l.id, l.lot]));
  const condition = GOES_TO[reason];
  if (condition) {
    const ids = await ensureLevels(tx.client, own.map((r) => ({ locationId: r.locationId, skuId: r.skuId, condition, lotId: lots.get(r.levelId) ?? 0 })));
    await tx.post(`reject:${reason}`, orderId, own.map((r, i): Leg => ({ levelId: ids[i] as number, onHand: r.quantity, reserved: 0 })));
  }
  if (reason === 'damaged') return;
  const missing = new Map<string, { locationId: number; skuId: number; lot: number; units: number }>();
  for (const r of own) {
    const lot = lots.get(r.levelId) ?? 0;
    const key = `${r.locationId}|${r.skuId}|${lot}`;
    missing.set(key, { locationId: r.locationId, skuId: r.skuId, lot, units: (missing.get(key)?.units ?? 0) + r.quantity });
  }
  for (const { locationId, skuId, lot, units } of [...missing.values()].sort((a, b) => a.skuId - b.skuId || a.lot - b.lot)) {
    await tx.query(
      `insert into recounts (location_id, sku_id, condition, lot_code, counted, expected, variance, opened_at)
       select $1, $2, 'sellable', o.code, coalesce(s.units, 0), coalesce(s.units, 0) + $4::int, -$4::int, $5 from lots o
       left join (select sum(on_hand)::int units from stock_levels where location_id = $1 and sku_id = $2 and condition = 'sellable' and lot_id = $3 and supply_id = 0) s on true where o.id = $3
       on conflict (location_id, sku_id, condition, lot_code) where status = 'open' do update set counted = excluded.counted, variance = recounts.variance + excluded.variance`,
      [locationId, skuId, lot, units, tx.now]);
  }
}

/**
 * A location that has no hands or is closed keeps its stock on sale, and is given nothing new for as long as it says (locations.no_capacity_pause_s, closed_pause_s). Returns until when;
 * null for any other reason, or where it does not pause.
 */
export async function pauseRejecting(tx: Tx, locationId: number, reason: string): Promise<Date | null> {
  if (reason !== 'no_capacity' && reason !== 'closed') return null;
  const row = await tx.one<{ until: Date }>(
    `insert into location_pauses (location_id, reason, since, until)
     select id, $2, $3, $3::timestamptz + make_interval(secs => case when $2 = 'closed' then closed_pause_s else no_capacity_pause_s end) from locations
       where id = $1 and case when $2 = 'closed' then closed_pause_s else no_capacity_pause_s end > 0
     on conflict (location_id) do update set since = case when location_pauses.until > excluded.since then location_pauses.since else excluded.since end,
       reason = case when location_pauses.until > excluded.until then location_pauses.reason else excluded.reason end, until = greatest(location_pauses.until, excluded.until)
     returning until`, [locationId, reason, tx.now]);
  return row?.until ?? null;
}
