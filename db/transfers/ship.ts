import { Problem } from '../../domain/problem.ts';
import { ensureLevels } from '../ledger.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockAside, type AsidePart } from './aside.ts';
import { earmark, waitingOrder } from './earmark.ts';
import { lockTransfer, supplyReference, transferEvent, wakeTransfer, type Transfer, type Who } from './transfer.ts';

export type PickedLine = { sku: string; quantity: number };
/** `lines` left out: what was picked, else everything. `expectedAt` left out: after the transfer's time on its way. */
export type ShipRequest = { lines?: PickedLine[]; expectedAt?: string };
export type ShipAnswer = { status: 'shipped'; supply: string; expectedAt: string; units: number; keptBack: number };

/** The sender picks. `lines`: what it found; SKUs left out are picked whole. Again: the figures are replaced. Throws Problem. */
export async function pickTransfer(writer: StockWriter, uuid: string, lines: readonly PickedLine[] | null, who: Who): Promise<void> {
  await writer.change(async (tx) => {
    const transfer = await lockTransfer(tx, uuid, who.onlyLocation, 'from');
    ready(transfer, 'picked');
    for (const { line, quantity } of await quantities(tx, uuid, lines)) await tx.query('update transfer_lines set picked = $3 where transfer_id = $1 and line_no = $2', [uuid, line, lines === null ? null : quantity]);
    if (transfer.status === 'approved') {
      await tx.query(`update transfers set status = 'picking' where id = $1`, [uuid]);
      await transferEvent(tx, uuid, 'transfer.picking', who.actor);
      await wakeTransfer(tx, uuid);
    }
  });
}

/**
 * The transfer leaves: its units go from what was set aside to a supply of the receiver, sellable there with its date from this commit on. Units that were not sent are the
 * sender's shared stock again. Idempotent: again with the same body, the same answer. Throws Problem.
 */
export async function shipTransfer(writer: StockWriter, uuid: string, request: ShipRequest, who: Who): Promise<ShipAnswer> {
  return writer.change(async (tx) => {
    await lockTransfer(tx, uuid, who.onlyLocation, 'from'); // whose it is comes before the key: a stranger must not read the answer
    const known = await claimReference<ShipAnswer>(tx, 'transfer-ship', uuid, request);
    if (known) return known;
    const transfer = await lockTransfer(tx, uuid);
    ready(transfer, 'shipped');
    const expectedAt = request.expectedAt === undefined ? new Date(tx.now.getTime() + transfer.transitS * 1000) : new Date(request.expectedAt);
    if (!(expectedAt > tx.now)) throw new Problem('unprocessable', 'it cannot have arrived before it leaves', '/expectedAt');
    const wanted = await quantities(tx, uuid, request.lines ?? null);
    const units = wanted.reduce((sum, l) => sum + l.quantity, 0);
    if (units === 0) throw new Problem('unprocessable', 'nothing is to be sent: cancel the transfer instead', '/lines');
    const supply = await tx.one<{ id: number }>(
      `insert into supplies (kind, reference, expected_at, location_id, source_location_id, note, announced_by) values ('transfer', $1, $2, $3, $4, null, $5) returning id`,
      [supplyReference(uuid), expectedAt, transfer.toLocationId, transfer.fromLocationId, who.actor]);
    if (!supply) throw new Error('an insert returns its row');
    const order = await waitingOrder(tx, transfer);
    const parts = await lockAside(tx, uuid);
    const sent = divide(wanted, parts);
    const going = await book(tx, transfer, supply.id, sent);
    if (order) await earmark(tx, order, going);
    await tx.query(`update transfers set status = 'shipped', shipped_at = $2, supply_id = $3, expected_at = $4 where id = $1`, [uuid, tx.now, supply.id, expectedAt]);
    const keptBack = sent.reduce((sum, p) => sum + p.there - p.sent, 0);
    await transferEvent(tx, uuid, 'transfer.shipped', who.actor, { supply: supplyReference(uuid), expectedAt: expectedAt.toISOString(), units, keptBack });
    await wakeTransfer(tx, uuid);
    const answer: ShipAnswer = { status: 'shipped', supply: supplyReference(uuid), expectedAt: expectedAt.toISOString(), units, keptBack };
    await storeAnswer(tx, 'transfer-ship', uuid, answer);
    return answer;
  });
}

function ready(transfer: Transfer, done: string): void {
  if (transfer.status === 'proposed') throw new Problem('conflict', `the transfer is not approved yet: it cannot be ${done}`);
  if (transfer.status !== 'approved' && transfer.status !== 'picking') throw new Problem('conflict', `the transfer is ${transfer.status}: it cannot be ${done} any more`);
}

type Wanted = { line: number; skuId: number; sku: string; quantity: number; at: number };

/** What each line is to be: as named, else as it was picked, else whole. Throws where more is named than was approved. */
async function quantities(tx: Tx, uuid: string, named: readonly PickedLine[] | null): Promise<Wanted[]> {
  const lines = await tx.query<Omit<Wanted, 'at'> & { approved: number }>(
    'select n.line_no line, n.sku_id "skuId", k.code sku, n.quantity approved, coalesce(n.picked, n.quantity) quantity from transfer_lines n join skus k on k.id = n.sku_id where n.transfer_id = $1 order by n.line_no', [uuid]);
  const given = new Map<string, number>();
  for (const [i, { sku, quantity }] of (named ?? []).entries()) {
    const line = lines.find((l) => l.sku === sku);
    if (!line) throw new Problem('unprocessable', `SKU "${sku}" is not part of this transfer`, `/lines/${i}/sku`);
    if (given.has(sku)) throw new Problem('unprocessable', `SKU "${sku}" is named twice`, `/lines/${i}/sku`);
    if (quantity > line.approved) throw new Problem('unprocessable', `${line.approved} units of SKU "${sku}" are approved`, `/lines/${i}/quantity`);
    given.set(sku, i);
  }
  return lines.map(({ approved: _approved, ...line }) => {
    const at = given.get(line.sku);
    return { ...line, quantity: at === undefined ? line.quantity : (named?.[at]?.quantity ?? 0), at: at ?? -1 };
  });
}

type Sent = AsidePart & { sent: number };

function divide(wanted: readonly Wanted[], parts: readonly AsidePart[]): Sent[] {
  const left = new Map(wanted.map((w) => [w.line, w.quantity]));
  const sent = parts.map((p): Sent => {
    const units = Math.min(p.there, left.get(p.line) ?? 0);
    left.set(p.line, (left.get(p.line) ?? 0) - units);
    return { ...p, sent: units };
  });
  for (const w of wanted) {
    const missing = left.get(w.line) ?? 0;
    if (missing > 0) throw new Problem('insufficient_stock', `${w.quantity - missing} units of SKU "${w.sku}" are still there for this transfer: a count or a loss took the others; send what is there`, w.at < 0 ? '/lines' : `/lines/${w.at}/quantity`);
  }
  return sent;
}

/** Sent units to levels of the supply, the others home: one command. Returns where the sent ones are. */
async function book(tx: Tx, transfer: Transfer, supplyId: number, parts: readonly Sent[]): Promise<{ levelId: number; skuId: number; units: number }[]> {
  const going = parts.filter((p) => p.sent > 0);
  const levels = await ensureLevels(tx.client, going.map((p) => ({ locationId: transfer.toLocationId, skuId: p.skuId, condition: 'sellable', lotId: p.lotId, supplyId })));
  await tx.query(
    `insert into supply_lines (supply_id, line_no, sku_id, condition, lot_id, quantity) select $1, row_number() over (order by s, o), s, 'sellable', o, sum(q)
     from unnest($2::int[], $3::int[], $4::int[]) as t(s, o, q) group by s, o`, [supplyId, going.map((p) => p.skuId), going.map((p) => p.lotId), going.map((p) => p.sent)]);
  await tx.post('transfer_sent', transfer.orderId, [
    ...parts.flatMap((p) => (p.there === 0 ? [] : [{ levelId: p.levelId, onHand: -p.there, reserved: 0 }, ...(p.there > p.sent ? [{ levelId: p.homeLevelId, onHand: p.there - p.sent, reserved: 0 }] : [])])),
    ...going.map((p, i) => ({ levelId: levels[i] as number, onHand: p.sent, reserved: 0 })),
  ]);
  for (const line of new Set(parts.map((p) => p.line))) {
    await tx.query('update transfer_lines set shipped = $3 where transfer_id = $1 and line_no = $2', [transfer.id, line, parts.filter((p) => p.line === line).reduce((sum, p) => sum + p.sent, 0)]);
  }
  return going.map((p, i) => ({ levelId: levels[i] as number, skuId: p.skuId, units: p.sent }));
}
