import { Problem } from '../../domain/problem.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { voidWaybills } from '../carriers/waybills.ts';
import { refuseErased } from '../orders/erase-person.ts';
import { lockOrder, readLines, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type ReturnStatus = 'requested' | 'authorised' | 'received' | 'inspected' | 'closed' | 'refused' | 'cancelled';
export type ReturnRow = {
  id: string; orderId: string; status: ReturnStatus; kind: 'refund' | 'exchange'; reason: string; method: 'label' | 'pickup' | 'drop_off'; late: boolean;
  locationId: number | null; waybillNo: string | null; carrier: string | null;
};
const RETURN = `id, order_id "orderId", status, kind, reason, method, late, location_id "locationId", waybill_no "waybillNo", carrier`;

/** `sentBack`: a platform says that the buyer has the goods (or has sent them), whatever their carrier has told. */
export type ReturnRequest = { kind: 'refund' | 'exchange'; reason: string; method: 'label' | 'pickup' | 'drop_off'; location?: string; goodwill?: boolean; sentBack?: boolean; lines: { line: number; quantity: number }[] };

/** Locks the order, then the return; throws not_found for another location's return too. */
export async function lockReturn(tx: Tx, rma: string, onlyLocation: number | null = null): Promise<{ order: Order; row: ReturnRow }> {
  const id = decodeId('rma', rma);
  const head = id === null ? null : await tx.one<{ order_id: string; location_id: number | null }>('select order_id, location_id from returns where id = $1', [id]);
  if (!head || (onlyLocation !== null && head.location_id !== onlyLocation)) throw new Problem('not_found', `return "${rma}" does not exist`);
  const order = await lockOrder(tx, head.order_id);
  return { order, row: await tx.one<ReturnRow>(`select ${RETURN} from returns where id = $1 for no key update`, [id]) as ReturnRow };
}

/**
 * Registers a return request, of what has arrived: also while other parcels of the order are on their way. Inside the return window the order's workflow takes it on; after it only as goodwill, by a
 * workflow of its own. Units can be returned once; those of a lost parcel, or one on its way back, are not with the buyer.
 */
export async function requestReturn(writer: StockWriter, orderId: string, request: ReturnRequest, locationId: number | null, actor: string): Promise<string> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (request.kind === 'exchange') await refuseErased(tx, order.personId);
    const arrived = order.deliveredAt || request.sentBack ? null : await arrivedUnits(tx, orderId);
    if (arrived?.size === 0) throw new Problem('conflict', `the order is ${order.status}: goods can be returned once they have been delivered`);
    const late = order.closedAt !== null || (order.returnUntil !== null && order.returnUntil <= tx.now);
    if (late && !request.goodwill) {
      throw new Problem('conflict', `the return window ended at ${order.returnUntil?.toISOString() ?? ''}; send "goodwill": true to take it back all the same`);
    }
    const pending = new Map((await tx.query<{ line_no: number; units: number }>(
      `select l.line_no, sum(l.quantity)::int units from return_lines l join returns r on r.id = l.return_id
       where r.order_id = $1 and r.status in ('requested', 'authorised', 'received', 'inspected') group by 1`, [orderId])).map((r) => [r.line_no, r.units]));
    const away = new Map((await tx.query<{ line_no: number; units: number }>(
      `select l.line_no, sum(l.quantity)::int units from parcel_lines l join parcels p on p.id = l.parcel_id
       where p.order_id = $1 and p.milestone in ('lost', 'returning') group by 1`, [orderId])).map((r) => [r.line_no, r.units]));
    const lines = new Map((await readLines(tx.client, orderId)).map((l) => [l.lineNo, l]));
    const wanted = new Map<number, number>();
    for (const [i, { line, quantity }] of request.lines.entries()) {
      const l = lines.get(line);
      if (!l) throw new Problem('unprocessable', `the order has no line ${line}`, `/lines/${i}/line`);
      wanted.set(line, (wanted.get(line) ?? 0) + quantity);
      const there = arrived ? arrived.get(line) ?? 0 : l.issued - (away.get(line) ?? 0);
      const open = there - l.returned - (pending.get(line) ?? 0);
      if ((wanted.get(line) ?? 0) > open) throw new Problem('unprocessable', `${open} units of line ${line} can be returned, not ${wanted.get(line) ?? 0}`, `/lines/${i}/quantity`);
    }
    const id = uuidv7();
    await tx.query(
      `insert into returns (id, order_id, status, kind, reason, method, late, location_id, requested_at, requested_by) values ($1, $2, 'requested', $3, $4, $5, $6, $7, $8, $9)`,
      [id, orderId, request.kind, request.reason, request.method, late, locationId, tx.now, actor]);
    for (const [line, quantity] of wanted) await tx.query('insert into return_lines (return_id, line_no, quantity) values ($1, $2, $3)', [id, line, quantity]);
    await tx.event(orderId, 'return.requested', actor, { return: encodeId('rma', id), kind: request.kind, late });
    await wakeReturn(tx, orderId, id, late, true);
    return encodeId('rma', id);
  });
}

/** Units by line in parcels that have been delivered. */
async function arrivedUnits(tx: Tx, orderId: string): Promise<Map<number, number>> {
  const rows = await tx.query<{ line_no: number; units: number }>(
    `select l.line_no, sum(l.quantity)::int units from parcel_lines l join parcels p on p.id = l.parcel_id where p.order_id = $1 and p.milestone = 'delivered' group by 1`, [orderId]);
  return new Map(rows.map((r) => [r.line_no, r.units]));
}

/** The workflow that runs a return: the order's own inside the window, its own after it. */
export async function wakeReturn(tx: Tx, orderId: string, returnId: string, late: boolean, first = false): Promise<void> {
  if (!late) return tx.wake(orderId);
  await tx.query('insert into outbox (topic, order_id, return_id, priority) values ($1, $2, $3, $4)', [first ? 'start_return' : 'look', orderId, returnId, tx.now]);
  tx.woken = true;
}

/** It has come to nothing: nobody sends anything by its number. */
const ENDED: ReadonlySet<ReturnStatus> = new Set(['refused', 'cancelled']);

/** `requested → authorised`: where the goods go, with the label if the carrier gave one. Any other number that was asked for it is taken back, and all of them where it has ended meanwhile. */
export async function authoriseReturn(writer: StockWriter, rma: string, decision: { locationId: number; carrier: string | null; waybillNo: string | null }, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const { order, row } = await lockReturn(tx, rma);
    const asked = row.status === 'requested';
    await voidWaybills(tx, rma, ENDED.has(row.status) ? null : asked ? decision.waybillNo : row.waybillNo);
    if (!asked) return;
    await tx.query(`update returns set status = 'authorised', authorised_at = $2, location_id = $3, carrier = $4, waybill_no = $5 where id = $1`,
      [row.id, tx.now, decision.locationId, decision.carrier, decision.waybillNo]);
    await tx.event(order.id, 'return.authorised', actor, { return: rma, method: row.method, waybill: decision.waybillNo });
  });
}

/** A try to get a label has failed: where the return has ended meanwhile there is no other, and what came of it is taken back. */
export async function labelNotGot(writer: StockWriter, rma: string): Promise<void> {
  await writer.change(async (tx) => {
    const { row } = await lockReturn(tx, rma);
    if (ENDED.has(row.status)) await voidWaybills(tx, rma);
  });
}

/** Refuses or withdraws a return that has not been received; its number is taken back. */
export async function endReturn(writer: StockWriter, rma: string, as: 'refused' | 'cancelled', reason: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const { order, row } = await lockReturn(tx, rma);
    if (row.status === as) return;
    if (row.status !== 'requested' && row.status !== 'authorised') throw new Problem('conflict', `the return is ${row.status}: it can no longer be ${as}`);
    await tx.query('update returns set status = $2, closed_at = $3 where id = $1', [row.id, as, tx.now]);
    await voidWaybills(tx, rma);
    await tx.event(order.id, `return.${as}`, actor, { return: rma, reason });
    await wakeReturn(tx, order.id, row.id, row.late);
  });
}

/** `authorised → received`: what has arrived at the location, which may be less than was announced. Repeated with the same figures: no change. */
export async function receiveReturn(writer: StockWriter, rma: string, lines: readonly { line: number; quantity: number }[], onlyLocation: number | null, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const { order, row } = await lockReturn(tx, rma, onlyLocation);
    if (row.status !== 'authorised') throw new Problem('conflict', `the return is ${row.status}: only an authorised return can be received`);
    const announced = await returnLines(tx, row.id);
    for (const [i, l] of lines.entries()) {
      const most = announced.find((a) => a.line === l.line)?.quantity ?? 0;
      if (l.quantity > most) throw new Problem('unprocessable', `line ${l.line}: ${most} units were announced, not ${l.quantity}; request another return for more`, `/lines/${i}/quantity`);
    }
    for (const a of announced) {
      const units = lines.filter((l) => l.line === a.line).reduce((sum, l) => sum + l.quantity, 0);
      if (units > a.quantity) throw new Problem('unprocessable', `line ${a.line} is given twice with more units than announced`, '/lines');
      await tx.query('update return_lines set received_quantity = $3 where return_id = $1 and line_no = $2', [row.id, a.line, units]);
    }
    await tx.query(`update returns set status = 'received', received_at = $2 where id = $1`, [row.id, tx.now]);
    await tx.event(order.id, 'return.received', actor, { return: rma, lines });
  });
}

/** `received → inspected`: what may be sold again, what is damaged, what is thrown away, and how many units the refund covers. */
export async function inspectReturn(
  writer: StockWriter, rma: string, lines: readonly { line: number; disposition: 'restock' | 'damaged' | 'dispose'; accepted: number }[], onlyLocation: number | null, actor: string,
): Promise<void> {
  await writer.change(async (tx) => {
    const { order, row } = await lockReturn(tx, rma, onlyLocation);
    if (row.status !== 'received') throw new Problem('conflict', `the return is ${row.status}: only a received return can be inspected`);
    const received = (await returnLines(tx, row.id)).filter((l) => l.received > 0);
    for (const [i, l] of lines.entries()) {
      const r = received.find((x) => x.line === l.line);
      if (!r) throw new Problem('unprocessable', `nothing of line ${l.line} was received`, `/lines/${i}/line`);
      if (l.accepted > r.received) throw new Problem('unprocessable', `line ${l.line}: ${r.received} units were received, ${l.accepted} cannot be accepted`, `/lines/${i}/accepted`);
      await tx.query('update return_lines set disposition = $3, accepted_quantity = $4 where return_id = $1 and line_no = $2', [row.id, l.line, l.disposition, l.accepted]);
    }
    const forgotten = received.find((r) => !lines.some((l) => l.line === r.line));
    if (forgotten) throw new Problem('unprocessable', `line ${forgotten.line} was received and must be inspected too`, '/lines');
    await tx.query(`update returns set status = 'inspected', inspected_at = $2 where id = $1`, [row.id, tx.now]);
    await tx.event(order.id, 'return.inspected', actor, { return: rma, lines });
    await wakeReturn(tx, order.id, row.id, row.late);
  });
}

export async function returnLines(tx: Tx, returnId: string): Promise<{ line: number; quantity: number; received: number; disposition: string | null; accepted: number }[]> {
  return tx.query(
    `select line_no line, quantity, coalesce(received_quantity, 0) received, disposition, coalesce(accepted_quantity, 0) accepted from return_lines
     where return_id = $1 order by line_no`, [returnId]);
}
