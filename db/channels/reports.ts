import type pg from 'pg';
import type { Channel } from '../network.ts';
import { readLines, type OrderLine } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import { linesOf } from './after-sale.ts';
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

/** What is to be told next, in order per order: a later report waits for the earlier one. */
export async function dueReports(pool: pg.Pool, channelId: number, now: Date, limit: number): Promise<DueReport[]> {
  const { rows } = await pool.query<DueReport>({
    name: 'reports_due',
    text: `select id, order_id "orderId", kind, key, body, attempts, created_at "createdAt" from channel_reports r where channel_id = $1 and done_at is null and due_at <= $2
      and not exists (select from channel_reports e where e.order_id = r.order_id and e.channel_id = r.channel_id and e.done_at is null and e.id < r.id) order by id limit $3`,
    values: [channelId, now, limit],
  });
  return rows;
}

export async function reportDone(pool: pg.Pool, id: number, now: Date, refused: string | null): Promise<void> {
  await pool.query({ name: 'report_done', text: 'update channel_reports set done_at = $2, refused = $3::text is not null, error = $3 where id = $1', values: [id, now, refused] });
}

export async function reportPostponed(pool: pg.Pool, id: number, now: Date, error: string): Promise<void> {
  await pool.query({
    name: 'report_postponed',
    text: `update channel_reports set attempts = attempts + 1, error = $3, due_at = $2::timestamptz + make_interval(secs => least(3600, power(2, least(attempts, 12)))) where id = $1`,
    values: [id, now, error.slice(0, 500)],
  });
}

/** A parcel in the platform's lines and units. */
export type ParcelReport = { key: string; shipment: string; carrier: string; waybillNo: string; lines: { lineId: string; quantity: number }[]; shippedAt: number };
/** `last`: nothing of the order is left to be shipped. */
export type ShipmentNews = { externalId: string; parcels: ParcelReport[]; last: boolean };

/**
 * All parcels of a platform order, oldest first, as units of its own lines: a unit of a listing that sells several SKUs counts with the parcel that completes it, so a parcel may
 * hold no whole unit. Orders that were split off, or merged into another, count with it.
 */
export async function shipmentNews(pool: pg.Pool, channelId: number, externalId: string): Promise<ShipmentNews | null> {
  const { rows: [head] } = await pool.query<{ order_id: string; lines: LineMap[] }>('select order_id, lines from channel_orders where channel_id = $1 and external_id = $2 and order_id is not null', [channelId, externalId]);
  if (!head) return null;
  const { lines: all, parcels } = await familyOf(pool, head.order_id);
  // Lines that were split keep their number: a number's units are those of the whole family.
  const ordered = new Map<number, number>();
  for (const l of all) ordered.set(l.lineNo, (ordered.get(l.lineNo) ?? 0) + l.quantity);
  const left = new Map<number, number>();
  const whole = (m: LineMap): number => {
    const own = [...new Map(linesOf(m, all).map((l) => [l.lineNo, l])).keys()];
    return own.length === 0 ? 0 : Math.min(...own.map((n) => Math.floor(((left.get(n) ?? 0) * m.units) / (ordered.get(n) ?? 1))));
  };
  const reports = parcels.map((p) => {
    const before = head.lines.map(whole);
    for (const l of p.lines) left.set(l.lineNo, (left.get(l.lineNo) ?? 0) + l.quantity);
    return {
      key: p.id, shipment: p.shipment, carrier: p.carrier, waybillNo: p.waybillNo, shippedAt: p.issuedAt.getTime(),
      lines: head.lines.flatMap((m, i) => { const quantity = whole(m) - (before[i] ?? 0); return quantity > 0 ? [{ lineId: m.lineId, quantity }] : []; }),
    };
  });
  return { externalId, parcels: reports, last: all.every((l) => l.quantity - l.cancelled - l.issued === 0) };
}

type Parcel = { id: string; shipment: string; carrier: string; waybillNo: string; issuedAt: Date; lines: { lineNo: number; quantity: number }[] };

/**
 * The lines of an order under the numbers that it had, and the parcels with units of them: its own, those of what was split off it, and those of the order that it was merged into (whose lines come after those that
 * were there before, in their order).
 */
async function familyOf(pool: pg.Pool, orderId: string): Promise<{ lines: OrderLine[]; parcels: Parcel[] }> {
  const { rows: [merged] } = await pool.query<{ id: string; before: number }>('select order_id id, min(line_no) - 1 "before" from order_lines where merged_from = $1 group by 1 order by 1 limit 1', [orderId]);
  const { rows: split } = await pool.query<{ id: string }>(
    `with recursive own as (select id from orders where id = $1 union
       select o.id from orders o join own on o.parent_id = own.id and o.external_id like (select external_id from orders where id = $1) || '#S%') select id from own`, [orderId]);
  const ids = merged ? [merged.id] : split.map((f) => f.id);
  const { rows: foreign } = await pool.query<{ order_id: string; line_no: number }>('select order_id, line_no from order_lines where order_id = any($1::uuid[]) and merged_from is distinct from $2', [ids, merged ? orderId : null]);
  const strange = new Set(foreign.map((f) => `${f.order_id}/${f.line_no}`));
  const before = merged?.before ?? 0;
  const lines: OrderLine[] = [];
  for (const id of ids) {
    for (const l of await readLines(pool, id)) if (!strange.has(`${id}/${l.lineNo}`)) lines.push({ ...l, lineNo: l.lineNo - before, bundle: l.bundle && { ...l.bundle, line: l.bundle.line - before } });
  }
  const { rows: parcels } = await pool.query<Parcel & { orderId: string }>(
    `select p.id, p.shipment_id shipment, p.order_id "orderId", p.carrier, p.waybill_no "waybillNo", s.issued_at "issuedAt", json_agg(json_build_object('lineNo', l.line_no, 'quantity', l.quantity)) lines
     from parcels p join shipments s on s.id = p.shipment_id join parcel_lines l on l.parcel_id = p.id where p.order_id = any($1::uuid[]) group by p.id, s.issued_at order by p.id`, [ids]);
  return { lines, parcels: parcels.map(({ orderId: of, ...p }) => ({ ...p, lines: p.lines.filter((l) => !strange.has(`${of}/${l.lineNo}`)).map((l) => ({ ...l, lineNo: l.lineNo - before })) })) };
}
