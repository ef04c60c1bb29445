import type pg from 'pg';
import { TERMINAL, type OrderStatus } from '../../domain/order/status.ts';
import { readLines, type OrderLine } from '../orders/order.ts';
import type { LineMap } from './intake.ts';

/** A line of a platform's order: under the number that it was captured with, and where it is now. `wanted`: units whose location has been asked for them, to be cancelled. */
export type FamilyLine = OrderLine & { at: { orderId: string; lineNo: number }; wanted: number };
/** An order of ours that holds lines of it. `over`: nothing of it leaves any more. `shared`: it holds another platform order's goods, too. `moving`: parcels of it are on their way. */
type Holder = { orderId: string; status: OrderStatus; over: boolean; shared: boolean; moving: boolean };
/** `members`: the order that was captured and all that were split off it, also those that were merged into another. */
export type Family = { members: string[]; holders: Holder[]; lines: FamilyLine[] };

/** What has become of the order that a platform's order was captured as: parts were split off (拆单, `…#S1`), or it was merged into another (合单). */
export async function readFamily(pool: pg.Pool, orderId: string): Promise<Family> {
  const { rows: own } = await pool.query<{ id: string }>({
    name: 'family_members',
    text: `with recursive own as (select id, channel_id, external_id from orders where id = $1
      union select o.id, o.channel_id, o.external_id from own p
        cross join lateral generate_series(1, (select count(*)::int from order_events e where e.order_id = p.id and e.type = 'order.split')) n
        join orders o on o.channel_id = p.channel_id and o.external_id = p.external_id || '#S' || n)
      select id from own order by id`,
    values: [orderId],
  });
  const members = own.map((o) => o.id);
  const { rows } = await pool.query<{ orderId: string; lineNo: number; was: number; wanted: number; mine: boolean; given: boolean; status: OrderStatus; moving: boolean }>({
    name: 'family_lines',
    text: `select l.order_id "orderId", l.line_no "lineNo", l.cancel_wanted wanted, l.given_by is not null given, o.status,
        case when l.merged_from is null then l.line_no else coalesce(l.merged_line, l.line_no - min(l.line_no) over (partition by l.order_id, l.merged_from) + 1) end was,
        coalesce(l.merged_from, l.order_id) = any($1::uuid[]) mine,
        exists (select from parcels p where p.order_id = o.id and p.milestone not in ('delivered', 'returned', 'lost')) moving
      from order_lines l join orders o on o.id = l.order_id
      where l.order_id = any($1::uuid[]) or l.order_id in (select order_id from order_lines where merged_from = any($1::uuid[])) order by 1, 2`,
    values: [members],
  });
  const holders = new Map<string, Holder>();
  for (const r of rows.filter((x) => x.mine)) {
    holders.set(r.orderId, { orderId: r.orderId, status: r.status, over: TERMINAL.has(r.status), moving: r.moving, shared: rows.some((x) => x.orderId === r.orderId && !x.mine && !x.given) });
  }
  const lines: FamilyLine[] = [];
  for (const id of holders.keys()) {
    for (const l of await readLines(pool, id)) {
      const r = rows.find((x) => x.orderId === id && x.lineNo === l.lineNo);
      if (!r?.mine) continue;
      const moved = l.lineNo - r.was;
      lines.push({ ...l, lineNo: r.was, at: { orderId: id, lineNo: l.lineNo }, wanted: r.wanted, bundle: l.bundle && { ...l.bundle, line: l.bundle.line - moved } });
    }
  }
  return { members, holders: [...holders.values()], lines };
}

/** Orders that can hold, and be held for, something of a platform's order: where its goods are now, and where they were. */
export async function ordersOf(pool: pg.Pool, orderId: string): Promise<string[]> {
  const { members, holders } = await readFamily(pool, orderId);
  return [...new Set([...holders.map((h) => h.orderId), ...members])];
}

/** Our lines of a platform line: those it became, and the components of a bundle that was ordered on one of them. */
export function linesOf<L extends OrderLine>(map: LineMap, lines: readonly L[]): L[] {
  return lines.filter((l) => { const ordered = l.bundle?.line ?? l.lineNo; return ordered >= map.first && ordered < map.first + map.components.length; });
}

/** The parts of each line, by the number it was captured with. */
export function partsOf(lines: readonly FamilyLine[]): FamilyLine[][] {
  const parts = new Map<number, FamilyLine[]>();
  for (const l of lines) parts.set(l.lineNo, [...(parts.get(l.lineNo) ?? []), l]);
  return [...parts.values()];
}

export const sumOf = (parts: readonly FamilyLine[], of: (l: FamilyLine) => number): number => parts.reduce((n, l) => n + of(l), 0);
export const unitsIn = (parts: readonly FamilyLine[]): number => sumOf(parts, (l) => l.quantity);

const isOver = (family: Family, line: FamilyLine): boolean => family.holders.some((h) => h.orderId === line.at.orderId && h.over);
/** Units of a part that never leave: all of an order that is over. */
export const goneOf = (family: Family, line: FamilyLine): number => (isOver(family, line) ? line.quantity - line.issued : line.cancelled);
/** Units of a part that may still be taken off; not those that a location has been asked for. */
export const openOf = (family: Family, line: FamilyLine): number => line.quantity - line.issued - goneOf(family, line) - askedOf(family, line);
/** Units of a part that are cancelled as soon as their location gives them back. */
export const askedOf = (family: Family, line: FamilyLine): number => (isOver(family, line) ? 0 : line.wanted);

/** Parcels with units of the order, as lines of it and as they stand; oldest first. `strange`: goods of others are in it, too. */
export type FamilyParcel = { id: string; orderId: string; shipment: string; carrier: string; waybillNo: string; issuedAt: Date; milestone: string; asked: boolean; strange: boolean; lines: { lineNo: number; quantity: number }[] };

export async function parcelsOf(pool: pg.Pool, family: Family): Promise<FamilyParcel[]> {
  const { rows } = await pool.query<Omit<FamilyParcel, 'strange'>>(
    `select p.id, p.shipment_id shipment, p.order_id "orderId", p.carrier, p.waybill_no "waybillNo", s.issued_at "issuedAt", p.milestone, p.intercept_requested_at is not null asked,
       json_agg(json_build_object('lineNo', l.line_no, 'quantity', l.quantity)) lines
     from parcels p join shipments s on s.id = p.shipment_id join parcel_lines l on l.parcel_id = p.id where p.order_id = any($1::uuid[]) group by p.id, s.issued_at order by p.id`, [family.holders.map((h) => h.orderId)]);
  return rows.map((p) => {
    const lines = p.lines.flatMap(({ lineNo, quantity }) => { const l = family.lines.find((x) => x.at.orderId === p.orderId && x.at.lineNo === lineNo); return l ? [{ lineNo: l.lineNo, quantity }] : []; });
    return { ...p, lines, strange: lines.length < p.lines.length };
  });
}
