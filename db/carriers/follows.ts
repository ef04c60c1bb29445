import type pg from 'pg';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';

export type FollowRef = { parcelId: string; account: string };
export type DueFollow = FollowRef & { carrier: string; waybillNo: string; contactId: string };

/** A parcel that leaves is announced to every account that tells of its carrier's parcels, in the transaction in which it leaves. */
export async function announceParcel(tx: Tx, parcelId: string, carrier: string): Promise<void> {
  await tx.query('insert into parcel_follows (parcel_id, account, due_at) select $1, code, $3 from carrier_accounts where $2 = any(follows) on conflict do nothing', [parcelId, carrier, tx.now]);
}

const LEASE_S = 120;

/** Takes parcels that are to be announced. Nobody else announces them for two minutes. */
export async function takeDueFollows(pool: pg.Pool, now: Date, limit: number): Promise<DueFollow[]> {
  const { rows } = await pool.query<DueFollow>({
    name: 'follows_due',
    text: `update parcel_follows f set due_at = $1::timestamptz + make_interval(secs => $3), attempts = f.attempts + 1 from (
        select parcel_id, account from parcel_follows where state = 'due' and due_at <= $1 order by due_at limit $2 for no key update skip locked) d, parcels p, orders o
      where f.parcel_id = d.parcel_id and f.account = d.account and p.id = f.parcel_id and o.id = p.order_id
      returning f.parcel_id "parcelId", f.account, p.carrier, p.waybill_no "waybillNo", o.contact_id "contactId"`,
    values: [now, limit, LEASE_S],
  });
  return rows;
}

/** `refused` with its reason: it will not tell of this parcel. */
export async function followEnded(pool: pg.Pool, { parcelId, account }: FollowRef, refused: string | null, now: Date): Promise<void> {
  await pool.query(`update parcel_follows set state = case when $3::text is null then 'done' else 'refused' end, error = $3, done_at = $4 where parcel_id = $1 and account = $2`, [parcelId, account, refused?.slice(0, 500) ?? null, now]);
}

/** Tried again after a while that doubles, an hour at most, and not before `leastMs` have passed. */
export async function followPostponed(pool: pg.Pool, { parcelId, account }: FollowRef, error: string, now: Date, leastMs: number): Promise<void> {
  await pool.query(
    `update parcel_follows set error = $3, due_at = $4::timestamptz + make_interval(secs => greatest(least(3600, power(2, least(attempts, 12))), $5::float8 / 1000)) where parcel_id = $1 and account = $2`,
    [parcelId, account, error.slice(0, 500), now, leastMs]);
}

/** An account has given parcels up: those still on their way are announced anew, after `waitS` seconds. */
export async function followAgain(pool: pg.Pool, account: string, parcels: readonly { carrier: string; waybillNo: string }[], now: Date, waitS: number): Promise<void> {
  for (const { carrier, waybillNo } of parcels) {
    await pool.query(
      `update parcel_follows f set state = 'due', attempts = 0, error = null, due_at = $4::timestamptz + make_interval(secs => $5) from parcels p
       where p.id = f.parcel_id and f.account = $1 and p.carrier = $2 and p.waybill_no = $3 and f.state <> 'due' and p.milestone not in ('delivered', 'returned', 'lost')`, [account, carrier, waybillNo, now, waitS]);
  }
}

/** The last four digits of a receiver's telephone, which some carriers ask for; null where there are none (a platform's sealed receiver) or they have been erased. */
export async function phoneTail(pool: pg.Pool, vault: Vault, contactId: string): Promise<string | null> {
  const contact = await vault.readContact(pool, contactId);
  return /(\d{4})\D*$/.exec(contact?.shipTo.phone ?? '')?.[1] ?? null;
}
