import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { TransferReason } from '../transfers/transfer.ts';

/**
 * What a transfer brought, per SKU. `received`: units booked in; `before`: sellable units that the receiver had when it came; `sold`: served there from the day it came on, for so many days or until now;
 * `soldOfMoved` = what was sold beyond `before`, at most `received`: the receiver's own units count as sold first, so it is the least that the move brought. `cost` of all: of the redistribution trips among them, as they were planned.
 */
export type TransferEffect = { transfer: string; reason: TransferReason; from: string; to: string; sku: string; receivedAt: string; received: number; before: number; sold: number; soldOfMoved: number };
export type TransferEffects = { items: TransferEffect[]; received: number; soldOfMoved: number; share: number | null; cost: number };

/** Of the transfers that came in the period (UTC days, inclusive). `days`: how long after a receipt sales count. */
export async function readTransferEffects(pool: pg.Pool, f: { from: string; to: string; reason: TransferReason | null; location: number | null; days: number }, now: Date): Promise<TransferEffects> {
  const { rows } = await pool.query<Omit<TransferEffect, 'receivedAt' | 'soldOfMoved'> & { receivedAt: Date }>(
    `with t as (select t.*, r.sku_id, r.received from transfers t join lateral (select sku_id, sum(quantity)::int received from supply_receipts where supply_id = t.supply_id group by 1) r on true
       where t.received_at >= $1::date and t.received_at < $2::date + 1 and ($3::text is null or t.reason = $3) and ($4::int is null or t.to_location_id = $4))
     select t.id transfer, t.reason, a.code "from", b.code "to", k.code sku, t.received_at "receivedAt", t.received,
       (coalesce((select sum(v.on_hand) from stock_levels v where v.sku_id = t.sku_id and v.location_id = t.to_location_id and v.condition = 'sellable' and v.supply_id = 0), 0)
         - coalesce((select sum(m.d_on_hand) from stock_movements m join stock_levels v on v.id = m.level_id
             where v.sku_id = t.sku_id and v.location_id = t.to_location_id and v.condition = 'sellable' and v.supply_id = 0 and m.at >= t.received_at), 0))::int "before",
       coalesce((select sum(d.units - d.cancelled) from daily_demand d where d.sku_id = t.sku_id and d.location_id = t.to_location_id
         and d.day between (t.received_at at time zone b.time_zone)::date and least((t.received_at at time zone b.time_zone)::date + $5::int - 1, ($6::timestamptz at time zone b.time_zone)::date)), 0)::int sold
     from t join locations a on a.id = t.from_location_id join locations b on b.id = t.to_location_id join skus k on k.id = t.sku_id order by t.received_at, t.id, k.code`,
    [f.from, f.to, f.reason, f.location, f.days, now]);
  const items = rows.map((r): TransferEffect => ({ ...r, transfer: encodeId('trf', r.transfer), receivedAt: r.receivedAt.toISOString(), soldOfMoved: Math.max(0, Math.min(r.received, r.sold - Math.max(0, r.before))) }));
  const [received, soldOfMoved] = [items.reduce((sum, i) => sum + i.received, 0), items.reduce((sum, i) => sum + i.soldOfMoved, 0)];
  const { rows: [paid] } = await pool.query<{ cost: number }>('select coalesce(sum(cost), 0)::bigint cost from move_proposals where transfer = any($1)', [[...new Set(items.map((i) => i.transfer))]]);
  return { items, received, soldOfMoved, share: received > 0 ? Math.round((10_000 * soldOfMoved) / received) / 10_000 : null, cost: paid?.cost ?? 0 };
}
