import type pg from 'pg';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';

/** Whom a number was asked of, and under which id: `ful_…` or `rma_…`. */
export type WaybillKey = { account: string; requestId: string };
export type StoredLabel = { type: string; bytes: Buffer };
export type DueWaybill = WaybillKey & { carrier: string; state: 'asked' | 'issued' | 'void' | 'cancelled' | 'kept'; waybillNo: string | null; labelState: string; orderId: string | null; draft: string | null; attempts: number };

/** Notes that a number is asked for, before it is: what is lost on the way is still known. Gives what an earlier try kept. */
export async function askWaybill(pool: pg.Pool, key: WaybillKey, of: { carrier: string; orderId: string | null }, now: Date): Promise<{ draft: string | null }> {
  const { rows: [row] } = await pool.query<{ draft: string | null }>({
    name: 'waybill_ask',
    text: `insert into waybills as w (account, request_id, carrier, order_id, state, asked_at, due_at) values ($1, $2, $3, $4, 'asked', $5, $5)
      on conflict (account, request_id) do update set state = case when w.state = 'void' then 'asked' else w.state end returning draft`,
    values: [key.account, key.requestId, of.carrier, of.orderId, now],
  });
  return { draft: row?.draft ?? null };
}

/** Keeps what a carrier of two steps gave in the first. Returns what stands: two who ask at once go on with the same. */
export async function keepDraft(pool: pg.Pool, key: WaybillKey, draft: string): Promise<string> {
  const { rows: [row] } = await pool.query<{ draft: string }>({ name: 'waybill_draft', text: 'update waybills set draft = coalesce(draft, $3) where account = $1 and request_id = $2 returning draft', values: [key.account, key.requestId, draft] });
  return row?.draft ?? draft;
}

/** The number has come. `label`: what is to be done about its label. */
export async function waybillIssued(tx: Tx, key: WaybillKey, waybillNo: string, label: 'none' | 'due'): Promise<void> {
  await tx.query(
    `update waybills set state = 'issued', waybill_no = coalesce(waybill_no, $3), issued_at = coalesce(issued_at, $4), label_state = case when label_state = 'none' then $5 else label_state end, due_at = $4
     where account = $1 and request_id = $2 and state in ('asked', 'issued')`, [key.account, key.requestId, waybillNo, tx.now, label]);
}

/** The parcel goes by another carrier, or not at all: whatever the first one gave is taken back, also a number whose answer was lost. */
export async function abandonWaybill(pool: pg.Pool, key: WaybillKey, now: Date): Promise<void> {
  await pool.query(`update waybills set state = 'void', due_at = $3, attempts = 0 where account = $1 and request_id = $2 and state in ('asked', 'issued')`, [key.account, key.requestId, now]);
}

/** The same for every number that a fulfillment order has asked for, in the transaction in which it ends unsent. */
export async function voidWaybills(tx: Tx, requestId: string): Promise<void> {
  await tx.query(`update waybills set state = 'void', due_at = $2, attempts = 0 where request_id = $1 and state in ('asked', 'issued')`, [requestId, tx.now]);
}

/** `cancelled`: taken back; `kept`: it would not, with its reason. */
export async function waybillEnded(pool: pg.Pool, key: WaybillKey, state: 'cancelled' | 'kept', reason: string | null, now: Date): Promise<void> {
  await pool.query(
    `update waybills set state = $3, ended_at = $4, error = $5, label_state = case when label_state = 'due' then 'none' else label_state end where account = $1 and request_id = $2 and state in ('asked', 'issued', 'void')`,
    [key.account, key.requestId, state, now, reason?.slice(0, 500) ?? null]);
}

/** Keeps a label under the receiver's key, once: what was printed stays what it is. False where its person has been erased or there was one already. */
export async function storeLabel(writer: StockWriter, vault: Vault, key: WaybillKey, label: StoredLabel): Promise<boolean> {
  return writer.change(async (tx) => {
    const row = await tx.one<{ person_id: string | null; label_state: string }>(
      `select o.person_id, w.label_state from waybills w left join orders o on o.id = w.order_id where w.account = $1 and w.request_id = $2 for no key update of w`, [key.account, key.requestId]);
    if (!row || row.label_state === 'stored' || row.person_id === null) return false;
    const id = await vault.writeDocument(tx.client, row.person_id, 'label', label.bytes);
    await tx.query(`update waybills set label_state = $3, label_id = $4, label_type = $5, error = null where account = $1 and request_id = $2`, [key.account, key.requestId, id === null ? 'refused' : 'stored', id, label.type]);
    return id !== null;
  });
}

export async function labelRefused(pool: pg.Pool, key: WaybillKey, reason: string): Promise<void> {
  await pool.query(`update waybills set label_state = 'refused', error = $3 where account = $1 and request_id = $2 and label_state = 'due'`, [key.account, key.requestId, reason.slice(0, 500)]);
}

const LEASE_S = 120;

/** Takes what is due: numbers to be taken back, labels to be fetched. Nobody else works on them for two minutes. */
export async function takeDueWaybills(pool: pg.Pool, now: Date, limit: number): Promise<DueWaybill[]> {
  const { rows } = await pool.query<DueWaybill>({
    name: 'waybills_due',
    text: `update waybills w set due_at = $1::timestamptz + make_interval(secs => $3), attempts = w.attempts + 1 from (
        select account, request_id from waybills where (state = 'void' or label_state = 'due') and due_at <= $1 order by due_at limit $2 for no key update skip locked) d
      where w.account = d.account and w.request_id = d.request_id
      returning w.account, w.request_id "requestId", w.carrier, w.state, w.waybill_no "waybillNo", w.label_state "labelState", w.order_id "orderId", w.draft, w.attempts`,
    values: [now, limit, LEASE_S],
  });
  return rows;
}

/** Tried again after a while that doubles, an hour at most. */
export async function waybillPostponed(pool: pg.Pool, key: WaybillKey, error: string, now: Date): Promise<void> {
  await pool.query(
    `update waybills set error = $3, due_at = $4::timestamptz + make_interval(secs => least(3600, power(2, least(attempts, 12)))) where account = $1 and request_id = $2`, [key.account, key.requestId, error.slice(0, 500), now]);
}

export type LabelState = WaybillKey & { state: string; waybillNo: string | null; labelState: string; labelId: string | null; labelType: string | null; error: string | null; carrier: string; draft: string | null };

/** The waybill that stands for a fulfillment order or a return, and what is known of its label. */
export async function readWaybill(pool: pg.Pool, requestId: string): Promise<LabelState | null> {
  const { rows: [row] } = await pool.query<LabelState>({
    name: 'waybill_of',
    text: `select account, request_id "requestId", carrier, state, waybill_no "waybillNo", label_state "labelState", label_id "labelId", label_type "labelType", error, draft from waybills
      where request_id = $1 order by (state = 'issued') desc, asked_at desc limit 1`,
    values: [requestId],
  });
  return row ?? null;
}
