import { Problem } from '../../../domain/problem.ts';
import { uuidv7 } from '../../../runtime/ids.ts';
import { lockLevels, type LockedLevel } from '../../ledger.ts';
import { lockOrder } from '../../orders/order.ts';
import { lockLease } from '../../leases/lease.ts';
import type { Tx } from '../../tx.ts';

export const SUPPLY_KINDS = ['transfer', 'purchase_order', 'return'] as const;
export type SupplyKind = (typeof SUPPLY_KINDS)[number];
export type SupplyStatus = 'open' | 'received' | 'cancelled';
export type Supply = {
  id: number; kind: SupplyKind; reference: string; status: SupplyStatus; locationId: number; sourceLocationId: number | null; expectedAt: Date; overdueAt: Date | null; version: number;
};
/** Units of a supply that are still to come. */
export type SupplyLevel = { id: number; skuId: number; condition: string; lotId: number; allotmentId: number; onHand: number; reserved: number };
/** An order's (or a lease's) units on a supply, in the order in which they are served: by promise, then as they were captured. */
export type Claim = { owner: string; lease: boolean; lineNo: number; seq: number; levelId: number; quantity: number };

const SUPPLY = `id, kind, reference, status, location_id "locationId", source_location_id "sourceLocationId", expected_at "expectedAt", overdue_at "overdueAt", version`;

export function noSuchSupply(reference: string): Problem { return new Problem('not_found', `supply "${reference}" does not exist`); }

/** A supply without a lock. `onlyLocation`: the destination that the caller may touch; another one's is as if it did not exist. Throws Problem not_found. */
export async function findSupply(tx: Tx, reference: string, onlyLocation: number | null): Promise<Supply> {
  const row = await tx.one<Supply>(`select ${SUPPLY} from supplies where reference = $1 and id <> 0 and location_id is not null and ($2::int is null or location_id = $2)`, [reference, onlyLocation]);
  if (!row) throw noSuchSupply(reference);
  return row;
}

/** Locks the supply itself: after orders and levels, before coupons. Throws Problem conflict when it is over. */
export async function lockOpen(tx: Tx, id: number): Promise<Supply> {
  const row = await tx.one<Supply>(`select ${SUPPLY} from supplies where id = $1 for no key update`, [id]);
  if (!row) throw new Error('a supply does not go away');
  if (row.status !== 'open') throw new Problem('conflict', `supply "${row.reference}" is ${row.status}`);
  return row;
}

/** SQL: by when an order `o` of channel `c` is to leave. Without a promise: how long its units were to be waited for when it was captured, as where shortages are served. */
export const PROMISED = 'coalesce(o.ship_by, o.deliver_by, o.captured_at + make_interval(secs => c.backorder_window_s))';

/** Who has units of these levels reserved. */
export async function claimsOn(tx: Tx, levelIds: readonly number[]): Promise<Claim[]> {
  return tx.query<Claim>(
    `select r.order_id owner, o.id is null lease, r.line_no "lineNo", r.seq, r.level_id "levelId", r.quantity
     from reservations r left join (orders o join channels c on c.id = o.channel_id) on o.id = r.order_id where r.level_id = any($1::bigint[]) and r.status in ('held', 'confirmed')
     order by ${PROMISED}, o.captured_at, r.order_id, r.line_no, r.seq`, [levelIds]);
}

/**
 * Locks whoever has units of a supply (orders first), then its levels with those given, and reads both again under the locks. Who reserved in between is locked
 * then, against the order of locks: PostgreSQL ends a deadlock, and the writer tries again.
 */
export async function lockSupply(tx: Tx, supplyId: number, others: (levels: readonly SupplyLevel[]) => Promise<readonly number[]> = () => Promise.resolve([])): Promise<{ levels: SupplyLevel[]; claims: Claim[]; locked: Map<number, LockedLevel> }> {
  const read = () => tx.query<SupplyLevel>(
    `select id, sku_id "skuId", condition, lot_id "lotId", allotment_id "allotmentId", on_hand "onHand", reserved from stock_levels where supply_id = $1 order by sku_id, condition, allotment_id desc, id`, [supplyId]);
  const before = await read();
  await lockOwners(tx, await claimsOn(tx, before.map((l) => l.id)));
  const locked = await lockLevels(tx.client, [...before.map((l) => l.id), ...await others(before)]);
  const levels = (await read()).filter((l) => locked.has(l.id));
  const claims = await claimsOn(tx, levels.map((l) => l.id));
  await lockOwners(tx, claims);
  return { levels, claims, locked };
}

async function lockOwners(tx: Tx, claims: readonly Claim[]): Promise<void> {
  const owners = new Map(claims.map((c) => [c.owner, c.lease]));
  for (const [id, lease] of [...owners].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (tx.locked.has(id)) continue;
    await (lease ? lockLease(tx, id) : lockOrder(tx, id));
  }
}

/**
 * What was to be done to the orders of a supply is done: of what this transaction freed they get what they still miss, by their promise like everybody else. Else orders that are
 * promised later would get it before them. Call last.
 */
export function letBeServed(tx: Tx, claims: readonly Claim[]): void {
  for (const { owner } of claims) tx.locked.delete(owner);
}

/** A movement of nothing tells every process to read these levels again: their supply has another date or has ended. */
export async function announceChange(tx: Tx, levelIds: readonly number[]): Promise<void> {
  if (levelIds.length === 0) return;
  await tx.query(
    `insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select $1, i - 1, v, 0, 0, 'supply_date' from unnest($2::bigint[]) with ordinality as t(v, i)`,
    [uuidv7(), [...levelIds]]);
}

