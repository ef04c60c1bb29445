import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Network } from '../network.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { approveLocked, sendLocked } from './advance.ts';
import { lockPurchase, purchaseEvent, type Who } from './purchase.ts';

/** `unitCost` left out: the vendor's. `send`: approved and sent to the vendor at once. */
export type PurchaseRequest = { reference: string; vendor: string; location: string; lines: { sku: string; quantity: number; unitCost?: number }[]; approve?: boolean; send?: boolean; expectedAt?: string; note?: string };
export type PurchaseAnswer = { id: string; reference: string; status: 'proposed' | 'approved' | 'sent'; units: number; cost: number };

/**
 * Proposes an order to a vendor, or has it approved and sent at once. Whole packs and the minimum of the vendor's terms, or nothing happens. Idempotent by reference. Throws
 * Problem with the field at fault.
 */
export async function createPurchase(writer: StockWriter, network: Network, request: PurchaseRequest, who: Who): Promise<PurchaseAnswer> {
  await network.loadSkus(request.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const known = await claimReference<PurchaseAnswer>(tx, 'purchase', request.reference, request);
    if (known) return known;
    const answer = await createIn(tx, network, request, who);
    await storeAnswer(tx, 'purchase', request.reference, answer);
    return answer;
  });
}

/** The same in the caller's transaction, under a reference of its own; the network must know the SKUs. */
export async function createIn(tx: Tx, network: Network, request: PurchaseRequest, who: Who, id = uuidv7()): Promise<PurchaseAnswer> {
  const location = network.locations.get(request.location);
  if (!location) throw new Problem('unknown_location', `location "${request.location}" is not known`, '/location');
  if (!location.active) throw new Problem('unprocessable', `location "${request.location}" is closed`, '/location');
  const vendor = await tx.one<{ active: boolean }>('select active from vendors where code = $1', [request.vendor]);
  if (!vendor?.active) throw new Problem('unprocessable', `vendor "${request.vendor}" ${vendor ? 'is closed' : 'does not exist'}`, '/vendor');
  const lines = [];
  for (const [i, line] of request.lines.entries()) {
    const sku = network.knownSku(line.sku);
    if (!sku?.active) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known or not active`, `/lines/${i}/sku`);
    if (request.lines.findIndex((l) => l.sku === line.sku) !== i) throw new Problem('unprocessable', `SKU "${line.sku}" stands on two lines: add them up`, `/lines/${i}/sku`);
    const terms = await tx.one<{ unit_cost: number; pack: number; minimum: number }>(
      'select unit_cost, pack, minimum from vendor_terms where vendor = $1 and sku_id = $2 and (location_id = $3 or location_id is null) order by location_id nulls last limit 1', [request.vendor, sku.id, location.id]);
    if (!terms) throw new Problem('unprocessable', `vendor "${request.vendor}" does not sell "${line.sku}" to "${request.location}": say its terms first`, `/lines/${i}/sku`);
    if (line.quantity % terms.pack !== 0) throw new Problem('unprocessable', `"${line.sku}" comes in packs of ${terms.pack}: ${line.quantity} are not whole packs`, `/lines/${i}/quantity`);
    if (line.quantity < terms.minimum) throw new Problem('unprocessable', `"${line.sku}" is sold from ${terms.minimum} units on`, `/lines/${i}/quantity`);
    lines.push({ skuId: sku.id, quantity: line.quantity, unitCost: line.unitCost ?? terms.unit_cost });
  }
  const cost = lines.reduce((sum, l) => sum + l.quantity * l.unitCost, 0);
  await tx.query(`insert into purchase_orders (id, reference, vendor, location_id, status, cost, note, created_at, created_by) values ($1, $2, $3, $4, 'proposed', $5, $6, $7, $8)`,
    [id, request.reference, request.vendor, location.id, cost, request.note ?? null, tx.now, who.actor]);
  await tx.query('insert into purchase_order_lines (purchase_id, line_no, sku_id, quantity, unit_cost) select $1, i, s, q, c from unnest($2::int[], $3::int[], $4::bigint[]) with ordinality as t(s, q, c, i)',
    [id, lines.map((l) => l.skuId), lines.map((l) => l.quantity), lines.map((l) => l.unitCost)]);
  await purchaseEvent(tx, id, 'purchase.proposed', who.actor);
  if (request.approve === true || request.send === true) await approveLocked(tx, await lockPurchase(tx, id), who.actor);
  if (request.send === true) await sendLocked(tx, network, await lockPurchase(tx, id), request.expectedAt ?? null, who.actor);
  return { id: encodeId('pur', id), reference: request.reference, status: request.send === true ? 'sent' : request.approve === true ? 'approved' : 'proposed', units: lines.reduce((sum, l) => sum + l.quantity, 0), cost };
}
