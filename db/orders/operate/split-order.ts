import { encodeId } from '../../../domain/ids.ts';
import { unitShareSum } from '../../../domain/money.ts';
import { isPaymentDue } from '../../../domain/order/payment.ts';
import type { PricedLine } from '../../../domain/order/pricing.ts';
import { Problem } from '../../../domain/problem.ts';
import { uuidv7 } from '../../../runtime/ids.ts';
import type { Tx } from '../../tx.ts';
import { lockOrder, readLines, refreshStatus, type Order, type OrderLine } from '../order.ts';
import { addReservations, liveReservations } from '../reservations.ts';
import { forgetWishes } from '../wishes.ts';
import { lockChangeable, recheck, releaseMendedHold, unroute } from './guard.ts';

/**
 * 拆单: moves units of lines into an order of their own. The money moves with them from the frozen shares, so that both orders together are
 * worth what one was, to the minor unit; reservations and shortages move too, of a line that is divided those that are said `first`. What holds the order holds both. Returns the new order's id.
 */
export async function splitOrder(
  tx: Tx, orderId: string, wanted: readonly { line: number; quantity: number }[], reason: string, actor: string, first: 'reserved' | 'missing' = 'reserved',
): Promise<string> {
  const order = await lockChangeable(tx, orderId);
  if (isPaymentDue(order.paymentStatus)) throw new Problem('conflict', 'the order is not paid: it can be split once it is');
  const lines = await readLines(tx.client, orderId);
  const moved = new Map<number, number>();
  for (const [i, { line, quantity }] of wanted.entries()) {
    const l = lines.find((x) => x.lineNo === line);
    if (!l) throw new Problem('unprocessable', `the order has no line ${line}`, `/params/lines/${i}/line`);
    if (l.cancelled + l.refunded > 0) throw new Problem('conflict', `line ${line} has cancelled or refunded units: it cannot be split any more`, `/params/lines/${i}/line`);
    moved.set(line, (moved.get(line) ?? 0) + quantity);
    if ((moved.get(line) ?? 0) > l.quantity) throw new Problem('unprocessable', `line ${line} has ${l.quantity} units`, `/params/lines/${i}/quantity`);
  }
  const left = lines.reduce((sum, l) => sum + l.quantity - l.cancelled - (moved.get(l.lineNo) ?? 0), 0);
  if (left <= 0) throw new Problem('unprocessable', 'at least one unit must stay in the order', '/params/lines');
  await unroute(tx, order, 'split');
  const id = await newHead(tx, order);
  for (const [lineNo, quantity] of moved) await moveLine(tx, order.id, id, lines.find((l) => l.lineNo === lineNo) as OrderLine, quantity, first);
  await sumUp(tx, [order.id, id]);
  const data = { reason, lines: [...moved].map(([line, quantity]) => ({ line, quantity })) };
  await tx.event(id, 'order.captured', actor, { id: encodeId('ord', id), parent: encodeId('ord', order.id) });
  await tx.query(`insert into outbox (topic, order_id, priority) values ('start', $1, $2)`, [id, order.shipBy ?? tx.now]);
  await tx.query(
    `insert into order_holds (order_id, reason, detail, rule_id, placed_at, placed_by)
     select $2, reason, detail, rule_id, placed_at, placed_by from order_holds where order_id = $1 and released_at is null order by id`, [order.id, id]);
  for (const part of [order.id, id]) await releaseMendedHold(tx, part, 'the unknown SKU is in the other part', actor);
  await refreshStatus(tx, await lockOrder(tx, id), actor);
  await forgetWishes(tx, order.id);
  await recheck(tx, order, 'order.split', actor, { ...data, order: encodeId('ord', id) });
  return id;
}

async function newHead(tx: Tx, order: Order): Promise<string> {
  const id = uuidv7();
  await tx.query(
    `insert into orders (id, channel_id, external_id, type, status, payment_status, currency, list_amount, discount_amount, freight_amount, total_amount, body_hash, location_id, allotment_id,
       parent_id, person_id, contact_id, address_hash, dest_country, dest_province, dest_city, dest_district, priority, invoice_requested, has_remarks, scheduled_from, scheduled_to,
       ordered_at, captured_at, ship_by, ship_by_given, deliver_by, promise_from, approved_rules, route_after, forced_location_id, forced_carrier, priced_here, way)
     select $2, channel_id, external_id || '#S' || (select count(*) + 1 from order_events e where e.order_id = o.id and e.type = 'order.split'),
       type, 'captured', payment_status, currency, 0, 0, 0, 0, ''::bytea, location_id, allotment_id, id, person_id, contact_id, address_hash, dest_country, dest_province, dest_city, dest_district, priority,
       invoice_requested, has_remarks, scheduled_from, scheduled_to, ordered_at, $3, ship_by, ship_by_given, deliver_by, promise_from, approved_rules, route_after, forced_location_id, forced_carrier, priced_here, way
     from orders o where id = $1`, [order.id, id, tx.now]);
  return id;
}

/** The money of some units of a line; the rest keeps what is left, so nothing is lost to rounding. */
function part(line: PricedLine, quantity: number): { moved: PricedLine; rest: PricedLine } {
  const share = (total: number): number => unitShareSum(total, line.quantity, line.quantity - quantity, quantity);
  const discounts = line.discounts.map((d) => ({ ...d, amount: share(d.amount) }));
  const discountAmount = discounts.reduce((sum, d) => sum + d.amount, 0);
  const listAmount = share(line.listAmount); // the price of a bundle's component need not divide by its units
  const freightShare = share(line.freightShare);
  const moved = { ...line, quantity, listAmount, discounts, discountAmount, freightShare, netAmount: listAmount - discountAmount + freightShare };
  return {
    moved,
    rest: {
      ...line, quantity: line.quantity - quantity, listAmount: line.listAmount - listAmount, discountAmount: line.discountAmount - discountAmount, freightShare: line.freightShare - freightShare,
      netAmount: line.netAmount - moved.netAmount, discounts: line.discounts.map((d, i) => ({ ...d, amount: d.amount - (discounts[i]?.amount ?? 0) })),
    },
  };
}

async function moveLine(tx: Tx, from: string, to: string, line: OrderLine, quantity: number, first: 'reserved' | 'missing'): Promise<void> {
  if (quantity === line.quantity) {
    for (const table of ['order_lines', 'reservations', 'shortages']) await tx.query(`update ${table} set order_id = $2 where order_id = $1 and line_no = $3`, [from, to, line.lineNo]);
    return;
  }
  const { moved, rest } = part(line.priced, quantity);
  await tx.query(
    `insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, discounts, gift, bundle_sku, bundle_line, given_by, merged_from,
       merged_line)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, bundle_sku, bundle_line, given_by, merged_from, merged_line from order_lines where order_id = $13 and line_no = $2`,
    [to, line.lineNo, line.skuId, line.skuCode, quantity, moved.unitPrice, moved.listAmount, moved.discountAmount, moved.freightShare, moved.netAmount, JSON.stringify(moved.discounts), line.gift, from]);
  await tx.query(
    `update order_lines set quantity = $3, list_amount = $4, discount_amount = $5, freight_share = $6, net_amount = $7, discounts = $8 where order_id = $1 and line_no = $2`,
    [from, line.lineNo, rest.quantity, rest.listAmount, rest.discountAmount, rest.freightShare, rest.netAmount, JSON.stringify(rest.discounts)]);
  let open = quantity;
  if (first === 'missing') open -= await moveMissing(tx, from, to, line, open);
  open -= await moveReserved(tx, from, to, line, open, first === 'missing');
  await moveMissing(tx, from, to, line, open);
}

/** Moves up to so many reserved units of a line, those on their way to us first or not looked at; returns how many. */
async function moveReserved(tx: Tx, from: string, to: string, line: OrderLine, most: number, incomingFirst: boolean): Promise<number> {
  let open = most;
  const own = (await liveReservations(tx, from)).filter((x) => x.lineNo === line.lineNo);
  for (const r of incomingFirst ? own.toSorted((a, b) => Number(b.incoming) - Number(a.incoming)) : own) {
    const units = Math.min(open, r.quantity);
    if (units === 0) break;
    open -= units;
    if (units === r.quantity) await tx.query('delete from reservations where order_id = $1 and line_no = $2 and seq = $3', [from, r.lineNo, r.seq]);
    else await tx.query('update reservations set quantity = quantity - $4 where order_id = $1 and line_no = $2 and seq = $3', [from, r.lineNo, r.seq, units]);
    await addReservations(tx, to, [{ lineNo: line.lineNo, levelId: r.levelId, quantity: units, fulfillmentOrderId: null }], r.status);
  }
  return most - open;
}

/** Moves up to so many missing units of a line; returns how many. */
async function moveMissing(tx: Tx, from: string, to: string, line: OrderLine, most: number): Promise<number> {
  let open = most;
  for (const s of await tx.query<{ id: number; quantity: number }>(`select id, quantity from shortages where order_id = $1 and line_no = $2 and status = 'open' order by id`, [from, line.lineNo])) {
    const units = Math.min(open, s.quantity);
    if (units === 0) break;
    open -= units;
    await tx.query(`insert into shortages (order_id, line_no, sku_id, quantity, cause, deadline) select $2, line_no, sku_id, $3, cause, deadline from shortages where id = $1`, [s.id, to, units]);
    if (units === s.quantity) await tx.query('delete from shortages where id = $1', [s.id]);
    else await tx.query('update shortages set quantity = quantity - $2 where id = $1', [s.id, units]);
  }
  return most - open;
}

/** The heads' money anew from their lines. */
export async function sumUp(tx: Tx, orderIds: readonly string[]): Promise<void> {
  await tx.query(
    `update orders o set list_amount = s.l, discount_amount = s.d, freight_amount = s.f, total_amount = s.n from (
       select i.id, coalesce(sum(list_amount), 0) l, coalesce(sum(discount_amount), 0) d, coalesce(sum(freight_share), 0) f, coalesce(sum(net_amount), 0) n
       from unnest($1::uuid[]) as i(id) left join order_lines on order_id = i.id group by i.id) s where o.id = s.id`, [orderIds]);
}
