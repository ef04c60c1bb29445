import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { LedgerError, lockLevels } from '../ledger.ts';
import { expireLeases } from '../leases/expire-leases.ts';
import { lockLease } from '../leases/lease.ts';
import { expireDue } from '../orders/expiry.ts';
import { lockOrder } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { HAS_OWNER, TERMINAL } from './checks.ts';

/** What was put right: the check that was violated, where, and how. Ids and numbers only. */
export type Repair = { what: string; subject: string; reason: string };

/** SQL: why the reservation `r` must not be there; null where nothing is wrong with it. */
const FAULT = `case when not (${HAS_OWNER}) then 'orphan-reservations'
  when not exists (select from stock_levels v where v.id = r.level_id) then 'orphan-reservations'
  when r.status not in ('held', 'confirmed') then null
  when exists (select from orders o where o.id = r.order_id and o.status in ${TERMINAL}) then 'terminal-reservations'
  when exists (select from leases l where l.id = r.order_id and l.status <> 'active') then 'ended-leases' end`;

/**
 * Puts right what the audit can: holds whose order or lease is over or does not exist, levels whose reserved units are not those of their reservations, open
 * shortages of orders that are over, overdue holds, and levels that are not the sum of their movements (by a movement of its own cause; the level stays as it
 * is, because everything that was sold was checked against it). Each in a transaction under the usual locks, looked at again there: live traffic that comes
 * between is never undone. `overdue`: what is overdue, too. Written to `audit_repairs`. What it cannot put right stays for the audit to report.
 */
export async function repairAudit(writer: StockWriter, { overdue = true }: { overdue?: boolean } = {}): Promise<Repair[]> {
  const repairs = overdue ? await expireOverdue(writer) : [];
  const { rows: levels } = await writer.pool.query<{ id: number }>(
    `select level_id id from reservations r where ${FAULT} is not null
     union select v.id from stock_levels v left join (select level_id, sum(quantity) units from reservations where status in ('held', 'confirmed') group by 1) r on r.level_id = v.id
       where v.reserved <> coalesce(r.units, 0) order by 1`);
  for (const { id } of levels) repairs.push(...await attempt(`level ${id}`, () => writer.change((tx) => repairLevel(tx, id))));
  const { rows: orders } = await writer.pool.query<{ id: string }>(
    `select distinct o.id from orders o join shortages s on s.order_id = o.id and s.status = 'open' where o.status in ${TERMINAL} order by 1`);
  for (const { id } of orders) repairs.push(...await attempt(encodeId('ord', id), () => writer.change((tx) => closeShortages(tx, id))));
  const { rows: drifted } = await writer.pool.query<{ id: number }>(
    `select v.id from stock_levels v left join (select level_id, sum(d_on_hand) h, sum(d_reserved) r from stock_movements group by 1) m on m.level_id = v.id
     where v.on_hand <> coalesce(m.h, 0) or v.reserved <> coalesce(m.r, 0) order by 1`);
  for (const { id } of drifted) repairs.push(...await attempt(`level ${id}`, () => writer.change((tx) => correctMovements(tx, id))));
  return repairs;
}

/** A repair that the ledger refuses is left to the audit, which reports what is still wrong; anything else is a fault of ours. */
async function attempt(subject: string, run: () => Promise<Repair[]>): Promise<Repair[]> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    process.emitWarning(`${subject} cannot be repaired: ${error.message}; count it, then adjust it`);
    return [];
  }
}

async function note(tx: Tx, repair: Repair, before: object, after: object, commandId: string | null = null): Promise<void> {
  await tx.query('insert into audit_repairs (what, subject, before, after, reason, command_id, at) values ($1, $2, $3, $4, $5, $6, $7)',
    [repair.what, repair.subject, JSON.stringify(before), JSON.stringify(after), repair.reason, commandId, tx.now]);
}

/** Overdue holds go the ordinary way: its rules decide, and its movements and events tell. */
async function expireOverdue(writer: StockWriter): Promise<Repair[]> {
  const orders = await expireDue(writer, 1_000_000);
  const leases = await expireLeases(writer);
  if (orders + leases === 0) return [];
  const repair = { what: 'stale-hold', subject: `${orders} orders, ${leases} reservations`, reason: 'their time was over and no worker had seen to it' };
  await writer.change((tx) => note(tx, repair, { overdue: orders + leases }, { overdue: 0 }));
  return [repair];
}

type Row = { orderId: string; lineNo: number; seq: number; quantity: number; status: string; fault: string };

/** One level: its faulty reservations go, then its reserved units are made those that its live reservations say. */
async function repairLevel(tx: Tx, levelId: number): Promise<Repair[]> {
  const faulty = () => tx.query<Row>(
    `select r.order_id "orderId", r.line_no "lineNo", r.seq, r.quantity, r.status, ${FAULT} fault from reservations r where r.level_id = $1 and ${FAULT} is not null order by r.order_id, r.line_no, r.seq`, [levelId]);
  // Orders and leases before levels, as everywhere. Who has neither is locked by nobody.
  const owners = new Set((await faulty()).map((r) => r.orderId));
  for (const id of [...owners].sort()) {
    if (await tx.one('select 1 from orders where id = $1', [id])) await lockOrder(tx, id);
    else await lockLease(tx, id);
  }
  const level = (await lockLevels(tx.client, [levelId])).get(levelId);
  const rows = (await faulty()).filter((r) => owners.has(r.orderId));
  const live = async (): Promise<number> => (await tx.one<{ units: number }>(
    `select coalesce(sum(quantity), 0)::int units from reservations where level_id = $1 and status in ('held', 'confirmed')`, [levelId]))?.units ?? 0;
  const before = { reserved: level?.reserved ?? null, live: await live() };
  for (const r of rows) {
    const key = [r.orderId, r.lineNo, r.seq];
    if (r.fault === 'orphan-reservations') await tx.query('delete from reservations where order_id = $1 and line_no = $2 and seq = $3', key);
    else await tx.query(`update reservations set status = 'released' where order_id = $1 and line_no = $2 and seq = $3`, key);
  }
  const after = { reserved: level ? await live() : null, live: await live() };
  const commandId = level && after.reserved !== level.reserved ? uuidv7() : null;
  if (commandId !== null) await tx.post('repair', rows[0]?.orderId ?? null, [{ levelId, onHand: 0, reserved: (after.reserved ?? 0) - (before.reserved ?? 0) }], commandId);
  if (rows.length === 0 && commandId === null) return []; // somebody else has seen to it
  const repairs = [...new Set(rows.map((r) => r.fault))].map((what): Repair => {
    const some = rows.filter((r) => r.fault === what);
    const units = some.reduce((sum, r) => sum + r.quantity, 0);
    return { what, subject: `level ${levelId}`, reason: `${some.length} reservations of ${units} units belong to ${what === 'orphan-reservations' ? 'nothing' : 'what is over'}: taken away` };
  });
  if (repairs.length === 0) repairs.push({ what: 'levels-reservations', subject: `level ${levelId}`, reason: `${before.reserved ?? 0} units were reserved, its reservations make ${before.live}: the reservations count` });
  for (const repair of repairs) {
    const own = rows.filter((r) => r.fault === repair.what);
    await note(tx, repair, { ...before, rows: own }, after, commandId);
  }
  return repairs;
}

async function closeShortages(tx: Tx, orderId: string): Promise<Repair[]> {
  const order = await lockOrder(tx, orderId);
  const closed = await tx.query<{ id: number; quantity: number }>(
    `update shortages s set status = 'cancelled', closed_at = $2 from orders o where o.id = s.order_id and o.id = $1 and o.status in ${TERMINAL} and s.status = 'open' returning s.id, s.quantity`, [orderId, tx.now]);
  if (closed.length === 0) return [];
  const repair = { what: 'terminal-reservations', subject: encodeId('ord', orderId), reason: `${closed.length} shortages waited for an order that is ${order.status}: closed` };
  await note(tx, repair, { open: closed }, { open: [] });
  return [repair];
}

/** A movement that makes the sum what the level says. */
async function correctMovements(tx: Tx, levelId: number): Promise<Repair[]> {
  const level = (await lockLevels(tx.client, [levelId])).get(levelId);
  const sum = await tx.one<{ onHand: number; reserved: number }>(
    'select coalesce(sum(d_on_hand), 0)::int "onHand", coalesce(sum(d_reserved), 0)::int reserved from stock_movements where level_id = $1', [levelId]);
  if (!level || !sum || (level.onHand === sum.onHand && level.reserved === sum.reserved)) return [];
  const commandId = uuidv7();
  await tx.query(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) values ($1, 0, $2, $3, $4, 'audit_correction')`,
    [commandId, levelId, level.onHand - sum.onHand, level.reserved - sum.reserved]);
  const repair = {
    what: 'levels-movements', subject: `level ${levelId}`,
    reason: `its movements made ${sum.onHand} on hand and ${sum.reserved} reserved, the level says ${level.onHand} and ${level.reserved}: corrected by movement ${commandId}; count it`,
  };
  await note(tx, repair, { movements: sum }, { movements: { onHand: level.onHand, reserved: level.reserved } }, commandId);
  return [repair];
}
