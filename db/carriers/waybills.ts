import type pg from 'pg';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';

/** Whom a number was asked of, for what (`ful_…` or `rma_…`) and of which carrier: an account that gives the numbers of many may be asked for one after the other. */
export type WaybillKey = { account: string; requestId: string; carrier: string };
/** SQL: what a number is for. `request_id` is the id under which it is asked for over there: another carrier's number for the same is another parcel there. */
const MADE_FOR = 'coalesce(made_for, request_id)';
const KEY = `account = $1 and ${MADE_FOR} = $2 and carrier = $3`;
const values = (key: WaybillKey): string[] => [key.account, key.requestId, key.carrier];
export type StoredLabel = { type: string; bytes: Buffer };
/** `askedAs`: the id under which it is asked for there. */
export type DueWaybill = WaybillKey & { askedAs: string; state: 'asked' | 'issued' | 'void' | 'cancelled' | 'kept'; waybillNo: string | null; labelState: string; orderId: string | null; draft: string | null; attempts: number };

/**
 * Notes that a number is asked for, before it is: what is lost on the way is still known. Gives what an earlier try kept, and the id under which to ask: another carrier's number is another parcel over there.
 */
export async function askWaybill(pool: pg.Pool, key: WaybillKey, orderId: string | null, now: Date): Promise<{ draft: string | null; askedAs: string }> {
  const { rows: [row] } = await pool.query<{ draft: string | null; askedAs: string }>({
    name: 'waybill_ask',
    text: `insert into waybills as w (account, request_id, made_for, carrier, order_id, state, asked_at, due_at)
      select $1, case when n > 0 then $2::text || '-' || n + 1 else $2 end, case when n > 0 then $2 end, $3, $4, 'asked', $5, $5 from (select count(*) n from waybills where account = $1 and ${MADE_FOR} = $2 and carrier <> $3) o
      on conflict (account, ${MADE_FOR}, carrier) do update set state = case when w.state = 'void' then 'asked' else w.state end returning draft, request_id "askedAs"`,
    values: [...values(key), orderId, now],
  });
  return row ?? { draft: null, askedAs: key.requestId };
}

/** Keeps what a carrier of two steps gave in the first. Returns what stands: two who ask at once go on with the same. */
export async function keepDraft(pool: pg.Pool, key: WaybillKey, draft: string): Promise<string> {
  const { rows: [row] } = await pool.query<{ draft: string }>({ name: 'waybill_draft', text: `update waybills set draft = coalesce(draft, $4) where ${KEY} returning draft`, values: [...values(key), draft] });
  return row?.draft ?? draft;
}

/** The number has come. `label`: what is to be done about its label. One that was given up meanwhile is known from here on, and taken back by it, also where the carrier knew of none when it was asked to. */
export async function waybillIssued(tx: Tx, key: WaybillKey, waybillNo: string, label: 'none' | 'due'): Promise<void> {
  await tx.query(
    `update waybills set state = case when state in ('asked', 'issued') then 'issued' else 'void' end, waybill_no = coalesce(waybill_no, $4), issued_at = coalesce(issued_at, $5),
       label_state = case when label_state = 'none' and state in ('asked', 'issued') then $6 else label_state end, due_at = $5
     where ${KEY} and (state in ('asked', 'issued') or waybill_no is null)`, [...values(key), waybillNo, tx.now, label]);
}

/** The parcel goes by another carrier, or not at all: whatever the first one gave is taken back, also a number whose answer was lost. */
export async function abandonWaybill(pool: pg.Pool, key: WaybillKey, now: Date): Promise<void> {
  await pool.query(`update waybills set state = 'void', due_at = $4, attempts = 0 where ${KEY} and state in ('asked', 'issued')`, [...values(key), now]);
}

/** True where a number has been given up: what came of it is being taken back, or was. */
export async function waybillGivenUp(pool: pg.Pool, key: WaybillKey): Promise<boolean> {
  return ((await pool.query(`select 1 from waybills where ${KEY} and state in ('void', 'cancelled', 'kept')`, values(key))).rowCount ?? 0) > 0;
}

/** Gives up every number that was asked for a fulfillment order or a return and that no parcel bears, in the transaction in which it ends unsent or leaves. `but`: the number that stands. */
export async function voidWaybills(tx: Tx, requestId: string, but: string | null = null): Promise<void> {
  await tx.query(
    `update waybills w set state = 'void', due_at = $2, attempts = 0 where ${MADE_FOR} = $1 and state in ('asked', 'issued') and ($3::text is null or w.waybill_no is distinct from $3)
       and not exists (select from parcels p where p.order_id = w.order_id and p.waybill_no = w.waybill_no)`, [requestId, tx.now, but]);
}

/**
 * `cancelled`: taken back; `kept`: it would not, with its reason. Only what it was asked about, by number and draft, is over: where a number has come meanwhile, it stays due, to be taken back by that.
 */
export async function waybillEnded(pool: pg.Pool, { waybillNo, draft, ...key }: WaybillKey & Pick<DueWaybill, 'waybillNo' | 'draft'>, state: 'cancelled' | 'kept', reason: string | null, now: Date): Promise<void> {
  await pool.query(
    `update waybills set state = $4, ended_at = $5, error = $6, label_state = case when label_state = 'due' then 'none' else label_state end
     where ${KEY} and state in ('asked', 'issued', 'void') and waybill_no is not distinct from $7 and draft is not distinct from $8`,
    [...values(key), state, now, reason?.slice(0, 500) ?? null, waybillNo, draft]);
}

/** Keeps a label under the receiver's key, once: what was printed stays what it is. False where its person has been erased or there was one already. */
export async function storeLabel(tx: Tx, vault: Vault, key: WaybillKey, label: StoredLabel): Promise<boolean> {
  const row = await tx.one<{ person_id: string | null; label_state: string }>(
    `select o.person_id, w.label_state from waybills w left join orders o on o.id = w.order_id where ${KEY} for no key update of w`, values(key));
  if (!row || row.label_state === 'stored') return false;
  const id = row.person_id === null ? null : await vault.writeDocument(tx.client, row.person_id, 'label', label.bytes);
  await tx.query(`update waybills set label_state = $4, label_id = $5, label_type = $6, error = null where ${KEY}`, [...values(key), id === null ? 'refused' : 'stored', id, label.type]);
  return id !== null;
}

export async function labelRefused(pool: pg.Pool, key: WaybillKey, reason: string): Promise<void> {
  await pool.query(`update waybills set label_state = 'refused', error = $4 where ${KEY} and label_state = 'due'`, [...values(key), reason.slice(0, 500)]);
}

const LEASE_S = 120;

/** Takes what is due: numbers to be taken back, labels to be fetched. Nobody else works on them for two minutes. */
export async function takeDueWaybills(pool: pg.Pool, now: Date, limit: number): Promise<DueWaybill[]> {
  const { rows } = await pool.query<DueWaybill>({
    name: 'waybills_due',
    text: `update waybills w set due_at = $1::timestamptz + make_interval(secs => $3), attempts = w.attempts + 1 from (
        select account, request_id from waybills where (state = 'void' or label_state = 'due') and due_at <= $1 order by due_at limit $2 for no key update skip locked) d
      where w.account = d.account and w.request_id = d.request_id
      returning w.account, coalesce(w.made_for, w.request_id) "requestId", w.carrier, w.request_id "askedAs", w.state, w.waybill_no "waybillNo", w.label_state "labelState", w.order_id "orderId", w.draft, w.attempts`,
    values: [now, limit, LEASE_S],
  });
  return rows;
}

/** Tried again after a while that doubles, an hour at most, and not before `leastMs` have passed. */
export async function waybillPostponed(pool: pg.Pool, key: WaybillKey, error: string, now: Date, leastMs: number): Promise<void> {
  await pool.query(
    `update waybills set error = $4, due_at = $5::timestamptz + make_interval(secs => greatest(least(3600, power(2, least(attempts, 12))), $6::float8 / 1000)) where ${KEY}`,
    [...values(key), error.slice(0, 500), now, leastMs]);
}

export type LabelState = WaybillKey & { askedAs: string; state: string; waybillNo: string | null; labelState: string; labelId: string | null; labelType: string | null; error: string | null; draft: string | null };

/** The waybill that stands for a fulfillment order or a return, and what is known of its label. */
export async function readWaybill(pool: pg.Pool, requestId: string): Promise<LabelState | null> {
  const { rows: [row] } = await pool.query<LabelState>({
    name: 'waybill_of',
    text: `select account, ${MADE_FOR} "requestId", carrier, request_id "askedAs", state, waybill_no "waybillNo", label_state "labelState", label_id "labelId", label_type "labelType", error, draft from waybills
      where ${MADE_FOR} = $1 order by (state = 'issued') desc, asked_at desc limit 1`,
    values: [requestId],
  });
  return row ?? null;
}
