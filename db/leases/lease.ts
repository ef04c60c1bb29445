import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { Tx } from '../tx.ts';

export const LEASE_MODES = ['all', 'lines', 'partial'] as const;
export type LeaseMode = (typeof LEASE_MODES)[number];
export type LeaseStatus = 'active' | 'released' | 'expired' | 'transferred';
export type Lease = { id: string; channelId: number; status: LeaseStatus; expiresAt: Date; orderId: string | null };

/** What became of the units in an order: units that served its shortages, that replaced its own reservations, that went back to stock. */
export type TransferOutcome = { served: number; replaced: number; released: number };
/** A lease as clients see it. `quantity` is what was asked for, `reserved` what it has now. Times ISO 8601. */
export type LeaseView = {
  id: string; owner: string; reference: string; channel: string; mode: LeaseMode; status: LeaseStatus; expiresAt: string; createdAt: string; endedAt: string | null;
  order: string | null; transfer: TransferOutcome | null;
  lines: { line: number; sku: string; quantity: number; bundle: { sku: string; line: number } | null; reserved: { location: string; quantity: number }[] }[];
};

/** Locks a lease, in the place of an order in the lock order. Null when there is none. */
export async function lockLease(tx: Tx, id: string): Promise<Lease | null> {
  return tx.one<Lease>(`select id, channel_id "channelId", status, expires_at "expiresAt", order_id "orderId" from leases where id = $1 for no key update`, [id]);
}

/** The UUID of a lease as a client names it. Throws Problem not_found. */
export function leaseUuid(id: string): string {
  const uuid = decodeId('res', id);
  if (uuid === null) throw noSuchLease(id);
  return uuid;
}

export function noSuchLease(id: string): Problem { return new Problem('not_found', `reservation "${id}" does not exist`); }

/** A lease that has ended, or is due to, gives nothing any more: whoever comes first wins, the other is told. */
export function refuseEnded(lease: Lease, now: Date): void {
  if (lease.status !== 'active') throw new Problem('conflict', `the reservation is ${lease.status}: make a new one`);
  if (lease.expiresAt <= now) throw new Problem('conflict', `the reservation expired at ${lease.expiresAt.toISOString()}: make a new one`);
}

/** Throws Problem not_found. */
export async function readLease(client: pg.ClientBase | pg.Pool, uuid: string): Promise<LeaseView> {
  type Head = Pick<LeaseView, 'owner' | 'reference' | 'channel' | 'mode' | 'status' | 'transfer'> & { expires_at: Date; created_at: Date; ended_at: Date | null; order_id: string | null; lines: LeaseView['lines'] };
  // One statement, so that all of it is of one moment.
  const { rows: [row] } = await client.query<Head>({
    name: 'lease_read',
    text: `select l.owner, l.reference, c.code channel, l.mode, l.status, l.outcome transfer, l.expires_at, l.created_at, l.ended_at, l.order_id,
        (select json_agg(json_build_object('line', n.line_no, 'sku', k.code, 'quantity', n.quantity,
            'bundle', case when n.bundle_sku is not null then json_build_object('sku', n.bundle_sku, 'line', n.bundle_line) end,
            'reserved', coalesce((select json_agg(json_build_object('location', t.code, 'quantity', t.units) order by t.code) from (
              select o.code, sum(r.quantity)::int units from reservations r join stock_levels v on v.id = r.level_id join locations o on o.id = v.location_id
              where r.order_id = l.id and r.line_no = n.line_no and r.status in ('held', 'confirmed') group by 1) t), '[]')) order by n.line_no)
          from lease_lines n join skus k on k.id = n.sku_id where n.lease_id = l.id) lines
      from leases l join channels c on c.id = l.channel_id where l.id = $1`,
    values: [uuid],
  });
  if (!row) throw noSuchLease(encodeId('res', uuid));
  return {
    id: encodeId('res', uuid), owner: row.owner, reference: row.reference, channel: row.channel, mode: row.mode, status: row.status, expiresAt: row.expires_at.toISOString(),
    createdAt: row.created_at.toISOString(), endedAt: row.ended_at?.toISOString() ?? null, order: row.order_id === null ? null : encodeId('ord', row.order_id),
    transfer: row.transfer, lines: row.lines,
  };
}
