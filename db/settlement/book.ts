import { unitShareSum } from '../../domain/money.ts';
import { owedIn, shareBack } from '../../domain/settlement/terms.ts';
import { readLines, type Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import { termsAt } from './terms.ts';

/**
 * What left a dealer or vendor is owed to it, in the transaction of the goods issue: each line by the term of that moment, and its fee. A line without a term, or with a share of what was
 * paid in another currency, is booked without an amount, for somebody to say it. Other locations: nothing. `issued`: units by line before this shipment.
 */
export async function bookIssue(tx: Tx, order: Order, f: { id: string; locationId: number }, shipmentId: string, packed: ReadonlyMap<number, number>): Promise<void> {
  const party = await tx.one<{ fee: number; currency: string }>('select handling_fee fee, currency from settlement_parties where location_id = $1', [f.locationId]);
  if (!party) return;
  const lines = (await readLines(tx.client, order.id)).filter((l) => (packed.get(l.lineNo) ?? 0) > 0 && l.skuId !== null);
  const terms = await termsAt(tx, [f.locationId], lines.map((l) => l.skuId as number), tx.now);
  for (const line of lines) {
    const units = packed.get(line.lineNo) ?? 0;
    // Called after the units were counted as issued: these are the last of them.
    const net = unitShareSum(line.priced.netAmount - line.priced.freightShare, line.quantity, line.issued - units, units);
    const term = terms.get(`${f.locationId}|${line.skuId as number}`);
    await tx.query(
      `insert into settlement_entries (location_id, kind, order_id, fulfillment_order_id, line_no, sku_id, units, net, amount, booked_at, cause_id) values ($1, 'goods', $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
      [f.locationId, order.id, f.id, line.lineNo, line.skuId, units, net, term ? owedIn(term, units, net, party.currency === order.currency) : null, tx.now, shipmentId]);
  }
  if (Number(party.fee) > 0) {
    await tx.query(`insert into settlement_entries (location_id, kind, order_id, fulfillment_order_id, units, amount, booked_at, cause_id) values ($1, 'handling', $2, $3, 1, $4, $5, $6) on conflict do nothing`,
      [f.locationId, order.id, f.id, Number(party.fee), tx.now, shipmentId]);
  }
}

/** Units that came back to the dealer that was owed for them, fit to be sold: the same amount is taken off again, to the minor unit over any number of returns. Elsewhere, or damaged: they are ours. */
export async function bookReturn(tx: Tx, order: Order, locationId: number, returnId: string, units: ReadonlyMap<number, number>): Promise<void> {
  for (const [line, count] of units) {
    const booked = await tx.query<{ fulfillment: string; sku: number; units: number; net: number; amount: number | null; back: number }>(
      `select g.fulfillment_order_id fulfillment, g.sku_id sku, g.units, g.net, g.amount, coalesce((select -sum(b.units) from settlement_entries b where b.kind = 'return' and b.order_id = g.order_id and b.line_no = g.line_no
         and b.fulfillment_order_id = g.fulfillment_order_id), 0)::int back
       from settlement_entries g where g.order_id = $1 and g.location_id = $2 and g.line_no = $3 and g.kind = 'goods' order by g.id for no key update of g`, [order.id, locationId, line]);
    let open = count;
    for (const g of booked) {
      const some = Math.min(open, g.units - g.back);
      if (some <= 0) continue;
      open -= some;
      await tx.query(
        `insert into settlement_entries (location_id, kind, order_id, fulfillment_order_id, line_no, sku_id, units, net, amount, booked_at, cause_id) values ($1, 'return', $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
        [locationId, order.id, g.fulfillment, line, g.sku, -some, -shareBack(Number(g.net), g.units, g.back, some), g.amount === null ? null : -shareBack(Number(g.amount), g.units, g.back, some), tx.now, returnId]);
    }
  }
}
