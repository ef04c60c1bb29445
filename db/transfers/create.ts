import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Location, Network } from '../network.ts';
import { askWorkflow } from '../outbox.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { approveLocked } from './approve.ts';
import { readTransferPolicy } from './policy.ts';
import { lockTransfer, transferEvent, transferWorkflow, type TransferReason, type Who } from './transfer.ts';

/** `approve`: set the units aside at once, or nothing happens. `transitS`: seconds on its way; left out: as the policy says. `order`: what it is for, with reason `order`. */
export type TransferRequest = {
  reference: string; reason: TransferReason; from: string; to: string; lines: { sku: string; quantity: number }[]; order?: string; approve?: boolean; transitS?: number; note?: string;
};
export type TransferAnswer = { id: string; reference: string; status: 'proposed' | 'approved'; units: number };

/**
 * Proposes a transfer of sellable units between two locations, or has it approved at once. Replenishment, redistribution and people come here. Idempotent by
 * reference: again with the same body, the same answer. Throws Problem with the field at fault (`insufficient_stock` only with `approve`); nothing has changed then.
 */
export async function createTransfer(writer: StockWriter, network: Network, request: TransferRequest, who: Who): Promise<TransferAnswer> {
  await network.loadSkus(request.lines.map((l) => l.sku));
  return writer.change((tx) => createTransferIn(tx, network, request, who));
}

/** The same inside a transaction; the network has the SKUs loaded. */
export async function createTransferIn(tx: Tx, network: Network, request: TransferRequest, who: Who): Promise<TransferAnswer> {
  const known = await claimReference<TransferAnswer>(tx, 'transfer', request.reference, request);
  if (known) return known;
  const [from, to] = [locationOf(network, request.from, '/from'), locationOf(network, request.to, '/to')];
  if (from.id === to.id) throw new Problem('unprocessable', 'a location cannot send itself a transfer', '/to');
  if (who.onlyLocation !== null && (who.onlyLocation !== to.id || request.approve === true)) throw new Problem('forbidden', 'this key is bound to a location: it may propose what is to come there, no more');
  const orderId = orderOf(request);
  if (orderId !== null && !await tx.one('select 1 from orders where id = $1', [orderId])) throw new Problem('unprocessable', `order "${request.order ?? ''}" does not exist`, '/order');
  const skuIds = request.lines.map((line, i) => {
    const sku = network.knownSku(line.sku);
    if (!sku?.active) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known or not active`, `/lines/${i}/sku`);
    if (network.components(sku.id).length > 0) throw new Problem('unprocessable', `"${line.sku}" is a bundle: transfer its components`, `/lines/${i}/sku`);
    if (request.lines.findIndex((l) => l.sku === line.sku) !== i) throw new Problem('unprocessable', `SKU "${line.sku}" stands on two lines: add them up`, `/lines/${i}/sku`);
    return sku.id;
  });
  const policy = await readTransferPolicy(tx);
  const id = uuidv7();
  await tx.query(
    `insert into transfers (id, reference, reason, order_id, from_location_id, to_location_id, status, note, transit_s, decide_by, created_at) values ($1, $2, $3, $4, $5, $6, 'proposed', $7, $8, $9, $10)`,
    [id, request.reference, request.reason, orderId, from.id, to.id, request.note ?? null, request.transitS ?? policy.transitS, new Date(tx.now.getTime() + policy.decideWithinS * 1000), tx.now]);
  await tx.query('insert into transfer_lines (transfer_id, line_no, sku_id, quantity) select $1, i, s, q from unnest($2::int[], $3::int[]) with ordinality as t(s, q, i)',
    [id, skuIds, request.lines.map((l) => l.quantity)]);
  await transferEvent(tx, id, 'transfer.proposed', who.actor, { reason: request.reason });
  if (request.approve === true) await approveLocked(tx, await lockTransfer(tx, id), who.actor);
  await askWorkflow(tx, 'start', transferWorkflow(id));
  const answer: TransferAnswer = {
    id: encodeId('trf', id), reference: request.reference, status: request.approve === true ? 'approved' : 'proposed', units: request.lines.reduce((sum, l) => sum + l.quantity, 0),
  };
  await storeAnswer(tx, 'transfer', request.reference, answer);
  return answer;
}

function locationOf(network: Network, code: string, field: string): Location {
  const location = network.locations.get(code);
  if (!location) throw new Problem('unknown_location', `location "${code}" is not known`, field);
  if (!location.active) throw new Problem('unprocessable', `location "${code}" is closed`, field);
  return location;
}

function orderOf(request: TransferRequest): string | null {
  if ((request.order !== undefined) !== (request.reason === 'order')) throw new Problem('unprocessable', 'the reason `order` names its order, any other reason none', '/order');
  if (request.order === undefined) return null;
  const uuid = decodeId('ord', request.order);
  if (uuid === null) throw new Problem('unprocessable', `order "${request.order}" does not exist`, '/order');
  return uuid;
}
