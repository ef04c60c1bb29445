import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { giftsOfMerged, type GiftChange, type GivenLine, type MergedLine } from '../../domain/promotion/gifts-of-merged.ts';
import type { PricedLine } from '../../domain/order/pricing.ts';
import type { Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import { cancelUnits } from './cancel-order.ts';
import type { Order } from './order.ts';
import { freeUnits } from './replan.ts';
import { openShortages } from './reservations.ts';
import { serve, type Shortage } from './reserve-order.ts';

type Row = { line: number; sku: string; quantity: number; open: number; packed: number; list: number; discounts: PricedLine['discounts'] | null; gift: boolean; given: string | null; member: string; priced: boolean; at: Date; type: string };

/** What of the gifts must change, were the goods of one member (or none, null) gone. Units that are packed or have left are not taken. */
export async function giftChange(client: pg.ClientBase | pg.Pool, network: Network, order: { id: string; channelId: number; currency: string }, without: string | null): Promise<GiftChange> {
  const { rows } = await client.query<Row>(
    `select l.line_no line, l.sku_code sku, l.quantity, l.quantity - l.cancelled_quantity open, l.list_amount list, l.discounts, l.gift, l.given_by given, m.id member, m.priced_here priced, m.captured_at at, m.type,
       coalesce((select sum(n.quantity - n.short_quantity) from fulfillment_order_lines n join fulfillment_orders f on f.id = n.fulfillment_order_id where f.order_id = l.order_id and n.line_no = l.line_no
         and (f.status not in ('routed', 'releasing', 'released', 'accepted', 'rejected', 'cancelled') or (f.cancel_requested_at is not null and not f.replan))), 0)::int packed
     from order_lines l join orders m on m.id = coalesce(l.merged_from, l.order_id) where l.order_id = $1 order by l.line_no`, [order.id]);
  const channel = network.channelById.get(order.channelId);
  const at = Math.max(...rows.map((r) => r.at.getTime()));
  if (!channel || rows.some((r) => r.type !== 'retail')) return { add: [], take: [] };
  await network.loadSkus(rows.map((r) => r.sku));
  const book = network.promotions;
  const lines = rows.flatMap((r): MergedLine[] => {
    if (r.gift || r.open <= 0 || r.member === without) return [];
    const on = (r.discounts ?? []).map((d) => ({ amount: d.amount, promotion: d.promotion === undefined ? undefined : book.byId.get(decodeId('prm', d.promotion) ?? '') }));
    const net = r.list - on.reduce((sum, d) => sum + (d.promotion?.kind === 'coupon' ? 0 : d.amount), 0);
    return [{
      sku: r.sku, category: network.knownSku(r.sku)?.category ?? null, quantity: r.open, net: Number((BigInt(net) * BigInt(r.open)) / BigInt(r.quantity)), priced: r.priced,
      promotions: on.flatMap((d) => d.promotion ?? []),
    }];
  });
  const given = rows.flatMap((r): GivenLine[] => (r.given === null || r.open <= 0 ? [] : [{ lineNo: r.line, sku: r.sku, promotion: r.given, quantity: r.open }]));
  const promotions = new Set([...book.candidates(at, lines), ...given.flatMap((g) => book.byId.get(g.promotion) ?? [])]);
  const change = giftsOfMerged({ channel: channel.code, currency: order.currency, at, lines, given }, [...promotions], book.matrix);
  const left = new Map(rows.map((r) => [r.line, r.open - r.packed]));
  return { add: change.add, take: change.take.flatMap((t) => { const quantity = Math.min(t.quantity, left.get(t.lineNo) ?? 0); return quantity > 0 ? [{ ...t, quantity }] : []; }) };
}

export const takenView = (take: GiftChange['take']): object[] => take.map((t) => ({ line: t.lineNo, sku: t.sku, quantity: t.quantity, promotion: encodeId('prm', t.promotion) }));

/** The gifts of an order that was merged just now (nothing of it is planned): missing ones become lines with stock, or are left out and noted where there is none; surplus ones are cancelled. Under the order's lock. */
export async function recomputeGifts(tx: Tx, network: Network, order: Order, actor: string): Promise<void> {
  const { add, take } = await giftChange(tx.client, network, order, null);
  if (add.length + take.length === 0) return;
  await network.loadSkus(add.map((a) => a.sku));
  const added: { line: number; quantity: number; sku: string; promotion: string; code: string }[] = [];
  const dropped: object[] = [];
  const spent = new Map<GiftChange['add'][number]['promotion'], number>();
  for (const { promotion, sku, quantity } of add) {
    const known = network.knownSku(sku);
    const units = known?.active === true ? await addLine(tx, network, order, { skuId: known.id, sku, quantity, promotion: promotion.id }) : { line: 0, served: 0 };
    const view = { sku, promotion: encodeId('prm', promotion.id), code: promotion.code };
    if (units.served > 0) added.push({ line: units.line, quantity: units.served, ...view });
    if (units.served > 0) spent.set(promotion, (spent.get(promotion) ?? 0) + units.served);
    if (units.served < quantity) dropped.push({ quantity: quantity - units.served, ...view, reason: 'out of stock', outOfStock: promotion.terms.outOfStock });
  }
  const freed = await freeUnits(tx, order.id, new Map(take.map((t) => [t.lineNo, t.quantity])));
  if (freed.size > 0) await cancelUnits(tx, order, freed, 'cancellation', 'gifts of the merged order', actor);
  for (const [promotion, units] of [...spent].sort(([a], [b]) => (a.id < b.id ? -1 : 1))) {
    if (await spendGift(tx, order, promotion, units)) continue;
    const back = added.filter((a) => a.code === promotion.code);
    const lines = await freeUnits(tx, order.id, new Map(back.map((a) => [a.line, a.quantity])));
    await cancelUnits(tx, order, lines, 'cancellation', 'the promotion cannot be had any more', actor);
    for (const a of back) dropped.push({ ...added.splice(added.indexOf(a), 1)[0], reason: 'it changed just now, or the customer has had it as often as he may' });
  }
  await tx.event(order.id, 'order.gifts_recomputed', actor, { added, removed: takenView(take), dropped });
}

async function addLine(tx: Tx, network: Network, order: Order, gift: { skuId: number; sku: string; quantity: number; promotion: string }): Promise<{ line: number; served: number }> {
  const row = await tx.one<{ line: number }>(
    `insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, gift, given_by)
     select $1, max(line_no) + 1, $2, $3, $4, 0, 0, 0, 0, 0, true, $5 from order_lines where order_id = $1 returning line_no line`, [order.id, gift.skuId, gift.sku, gift.quantity, gift.promotion]);
  if (!row) throw new Error('an order has lines');
  await openShortages(tx, order.id, [{ lineNo: row.line, skuId: gift.skuId, quantity: gift.quantity }], 'gift', tx.now);
  const open = await tx.query<Shortage>(`select id, line_no "lineNo", sku_id "skuId", quantity, deadline from shortages where order_id = $1 and line_no = $2 and status = 'open'`, [order.id, row.line]);
  const missing = (await serve(tx, network, order, open, false)).reduce((sum, s) => sum + s.quantity, 0);
  if (missing > 0) {
    // What is not there was never promised: the line does not have it.
    await tx.query(`delete from shortages where order_id = $1 and line_no = $2 and status = 'open'`, [order.id, row.line]);
    if (missing === gift.quantity) await tx.query('delete from order_lines where order_id = $1 and line_no = $2', [order.id, row.line]);
    else await tx.query('update order_lines set quantity = quantity - $3 where order_id = $1 and line_no = $2', [order.id, row.line, missing]);
  }
  return { line: row.line, served: gift.quantity - missing };
}

/** Counts what was added as a capture does, after the levels. False: the promotion changed just now, or the customer has had it as often as he may. */
async function spendGift(tx: Tx, order: Order, p: GiftChange['add'][number]['promotion'], units: number): Promise<boolean> {
  const row = await tx.one<{ version: number }>('select version from promotions where id = $1 for share', [p.id]);
  if (row?.version !== p.version) return false;
  const had = await tx.one(
    `select from promotion_redemptions where promotion_id = $2 and given_back_at is null and (order_id = $1 or order_id in (select merged_from from order_lines where order_id = $1)) limit 1`, [order.id, p.id]);
  if (!had && p.perCustomerOrders !== null) {
    const values = [p.id, `p:${order.personId}`];
    await tx.query('insert into promotion_usage (promotion_id, subject) values ($1, $2) on conflict do nothing', values);
    const used = await tx.one<{ orders: number }>('select orders from promotion_usage where promotion_id = $1 and subject = $2 for no key update', values);
    if ((used?.orders ?? 0) >= p.perCustomerOrders) return false;
    await tx.query('update promotion_usage set orders = orders + 1, units = units + $3 where promotion_id = $1 and subject = $2', [...values, units]);
  }
  await tx.query(
    `insert into promotion_redemptions (order_id, promotion_id, person_id, units, amount, at) values ($1, $2, $3, $4, 0, $5)
     on conflict (order_id, promotion_id) do update set units = promotion_redemptions.units + excluded.units`, [order.id, p.id, order.personId, units, tx.now]);
  return true;
}
