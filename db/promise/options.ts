import { AT_LOCATION, LEFT, VOID } from '../../domain/order/status.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import type { Answer } from '../../domain/promising/ladder.ts';
import { readFulfillments, readLines, type Order } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import type { Part } from './expected.ts';

/** What a customer is offered. `by` ISO 8601; null: nobody knows. `lines` of a split are those that come later, of a substitution those that are replaced. */
export type Offer =
  | { answer: 'wait'; by: string | null }
  | { answer: 'split'; lines: { line: number; quantity: number }[]; by: string | null }
  | { answer: 'substitute'; lines: { line: number; sku: string; substitute: string }[] }
  | { answer: 'cancel' };

/** What could be offered for the late parts now, of what the channel offers at all. */
export async function offers(tx: Tx, order: Order, parts: readonly Part[], promisedBy: Date, allowed: readonly Answer[]): Promise<Offer[]> {
  const late = parts.filter((p) => p.expectedBy === null || p.expectedBy > promisedBy);
  if (late.length === 0) return [];
  const known = late.every((p) => p.expectedBy !== null);
  const by = known ? new Date(Math.max(...late.map((p) => (p.expectedBy as Date).getTime()))).toISOString() : null;
  const living = (await readFulfillments(tx.client, order.id)).filter((f) => !VOID.has(f.status));
  const changeable = !living.some((f) => AT_LOCATION.has(f.status) || LEFT.has(f.status)) && !isPaymentDue(order.paymentStatus) && order.paymentStatus !== 'deposit';
  const found: Offer[] = [{ answer: 'wait', by }];
  if (changeable) {
    const apart = await splittable(tx, order, late);
    if (apart) found.push({ answer: 'split', lines: apart, by });
    const others = await substitutes(tx, order, late);
    if (others) found.push({ answer: 'substitute', lines: others });
  }
  if (late.some((p) => p.fulfillmentOrderId === null) || living.some((f) => !LEFT.has(f.status))) found.push({ answer: 'cancel' });
  return found.filter((o) => allowed.includes(o.answer));
}

/** The late units, where others are on time; bundles are not taken apart. */
async function splittable(tx: Tx, order: Order, late: readonly Part[]): Promise<{ line: number; quantity: number }[] | null> {
  const lines = await readLines(tx.client, order.id);
  const missing = new Map((await tx.query<{ line: number; units: number }>(
    `select line_no line, sum(quantity)::int units from (select line_no, quantity from shortages where order_id = $1 and status = 'open'
       union all select r.line_no, r.quantity from reservations r join stock_levels v on v.id = r.level_id where r.order_id = $1 and r.status in ('held', 'confirmed') and v.supply_id <> 0) m group by 1`, [order.id]))
    .map((r) => [r.line, r.units]));
  const wanted = [...new Set(late.flatMap((p) => p.lines))].sort((a, b) => a - b).map((line) => ({ line, quantity: missing.get(line) ?? lines.find((l) => l.lineNo === line)?.quantity ?? 0 }));
  const whole = lines.filter((l) => l.quantity > l.cancelled);
  const clean = wanted.every(({ line, quantity }) => { const l = lines.find((x) => x.lineNo === line); return l !== undefined && quantity > 0 && l.cancelled + l.refunded === 0 && l.bundle === null; });
  const left = whole.reduce((sum, l) => sum + l.quantity - l.cancelled, 0) - wanted.reduce((sum, w) => sum + w.quantity, 0);
  return clean && left > 0 ? wanted : null;
}

/** Another SKU for every late line, the first of its substitutes that has the units; null where one has none. */
async function substitutes(tx: Tx, order: Order, late: readonly Part[]): Promise<{ line: number; sku: string; substitute: string }[] | null> {
  const lines = [...new Set(late.flatMap((p) => p.lines))];
  const rows = await tx.query<{ line: number; sku: string; substitute: string | null }>(
    `select l.line_no line, l.sku_code sku, (select k.code from sku_substitutes s join skus k on k.id = s.substitute_id and k.active where s.sku_id = l.sku_id
         and (select coalesce(sum(greatest(0, v.on_hand - v.reserved - v.buffer)), 0) from stock_levels v join locations c on c.id = v.location_id and c.active join lots on lots.id = v.lot_id and lots.recalled_at is null
           where v.sku_id = k.id and v.condition = 'sellable' and v.supply_id = 0 and v.allotment_id = $3) >= l.quantity - l.cancelled_quantity
         order by s.position limit 1) substitute
     from order_lines l where l.order_id = $1 and l.line_no = any($2::int[]) order by 1`, [order.id, lines, order.allotmentId]);
  return rows.length > 0 && rows.every((r) => r.substitute !== null) ? rows.map((r) => ({ line: r.line, sku: r.sku, substitute: r.substitute as string })) : null;
}
