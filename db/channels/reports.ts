import type pg from 'pg';
import type { Channel } from '../network.ts';
import type { Tx } from '../tx.ts';
import { goneOf, linesOf, parcelsOf, partsOf, readFamily, sumOf, unitsIn } from './family.ts';
import { TRIED_AGAIN } from './hints.ts';
import type { LineMap } from './intake.ts';
import { wakeChannels } from './wake.ts';

export type ReportKind = 'shipment' | 'cancellation' | 'after_sale' | 'address';
export type DueReport = { id: number; orderId: string; kind: ReportKind; key: string; body: Record<string, unknown>; attempts: number; createdAt: Date };

/** Notes what a platform must hear, once per key, in the transaction of the fact. */
export async function queueReport(tx: Tx, channel: Channel, orderId: string, report: { kind: ReportKind; key: string; body: Record<string, unknown> }): Promise<void> {
  const fresh = await tx.query(
    `insert into channel_reports (channel_id, order_id, kind, key, body, due_at, created_at) values ($1, $2, $3, $4, $5, $6, $6) on conflict (channel_id, key) do nothing returning 1`,
    [channel.id, orderId, report.kind, report.key, JSON.stringify(report.body), tx.now]);
  if (fresh.length > 0) await wakeChannels(tx.client, [channel.code], tx.now);
}

/**
 * What is to be told next, in order per order: a later report waits for the earlier one, unless that waits because the account may not tell its kind. By turns of the kinds, what was postponed last: a kind that goes on being
 * postponed keeps no other back.
 */
export async function dueReports(pool: pg.Pool, channelId: number, now: Date, limit: number): Promise<DueReport[]> {
  const { rows } = await pool.query<DueReport>({
    name: 'reports_due',
    text: `select id, order_id "orderId", kind, key, body, attempts, created_at "createdAt" from channel_reports r where channel_id = $1 and done_at is null and due_at <= $2
      and not exists (select from channel_reports e where e.order_id = r.order_id and e.channel_id = r.channel_id and e.done_at is null and e.id < r.id and not (e.barred and e.kind <> r.kind))
      order by row_number() over (partition by kind order by due_at, id), due_at, id limit $3`,
    values: [channelId, now, limit],
  });
  return rows;
}

export async function reportDone(pool: pg.Pool, id: number, now: Date, refused: string | null): Promise<void> {
  await pool.query({ name: 'report_done', text: 'update channel_reports set done_at = $2, refused = $3::text is not null, error = $3 where id = $1', values: [id, now, refused] });
}

/** `barred`: the account may not tell it. */
export async function reportPostponed(pool: pg.Pool, id: number, now: Date, error: string, afterMs: number | null, barred: boolean): Promise<void> {
  await pool.query({ name: 'report_postponed', text: `update channel_reports set error = $3, barred = $5, ${TRIED_AGAIN} where id = $1`, values: [id, now, error.slice(0, 500), afterMs, barred] });
}

/** The account may tell nothing of a kind: all of it that is due waits so long. */
export async function kindBarred(pool: pg.Pool, channelId: number, kind: ReportKind, now: Date, error: string, afterMs: number): Promise<void> {
  await pool.query({
    name: 'reports_barred',
    text: `update channel_reports set error = $4, barred = true, due_at = $3::timestamptz + make_interval(secs => $5::float8 / 1000) where channel_id = $1 and kind = $2 and done_at is null and due_at <= $3`,
    values: [channelId, kind, now, error.slice(0, 500), afterMs],
  });
}

/** A parcel in the platform's lines and units. */
export type ParcelReport = { key: string; shipment: string; carrier: string; waybillNo: string; lines: { lineId: string; quantity: number }[]; shippedAt: number };
/** `last`: nothing of the order is left to be shipped. */
export type ShipmentNews = { externalId: string; parcels: ParcelReport[]; last: boolean };

/**
 * All parcels of a platform order, oldest first, as units of its own lines: a unit of a listing that sells several SKUs counts with the parcel that completes it (components that were cancelled without the others complete
 * nothing), so a parcel may hold no whole unit. Orders that were split off, or merged into another, count with it.
 */
export async function shipmentNews(pool: pg.Pool, channelId: number, externalId: string): Promise<ShipmentNews | null> {
  const { rows: [head] } = await pool.query<{ order_id: string; lines: LineMap[] }>('select order_id, lines from channel_orders where channel_id = $1 and external_id = $2 and order_id is not null', [channelId, externalId]);
  if (!head) return null;
  const family = await readFamily(pool, head.order_id);
  const left = new Map<number, number>();
  const lines = head.lines.map((m) => {
    // Lines that were split keep their number: a number's units are those of the whole family.
    const own = partsOf(linesOf(m, family.lines)).map((parts) => ({ lineNo: parts[0]?.lineNo ?? 0, units: unitsIn(parts), gone: sumOf(parts, (l) => goneOf(family, l)) }));
    const whole = (of: (l: (typeof own)[number]) => number): number => (own.length === 0 ? 0 : Math.min(...own.map((l) => Math.floor((of(l) * m.units) / l.units))));
    const never = whole((l) => l.gone);
    return { lineId: m.lineId, shipped: () => whole((l) => (left.get(l.lineNo) ?? 0) + l.gone) - never };
  });
  const reports = (await parcelsOf(pool, family)).map((p) => {
    const before = lines.map((l) => l.shipped());
    for (const l of p.lines) left.set(l.lineNo, (left.get(l.lineNo) ?? 0) + l.quantity);
    return {
      key: p.id, shipment: p.shipment, carrier: p.carrier, waybillNo: p.waybillNo, shippedAt: p.issuedAt.getTime(),
      lines: lines.flatMap((l, i) => { const quantity = l.shipped() - (before[i] ?? 0); return quantity > 0 ? [{ lineId: l.lineId, quantity }] : []; }),
    };
  });
  return { externalId, parcels: reports, last: family.lines.every((l) => l.issued + goneOf(family, l) === l.quantity) };
}
