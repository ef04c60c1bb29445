import type { Numbers } from '../../domain/edi/answer.ts';
import type { Receipt } from '../../domain/edi/reading.ts';
import type { Tx } from '../tx.ts';

export type DocumentKind = '997' | 'TA1' | '855' | '856' | 'CONTRL' | 'ORDRSP' | 'DESADV' | 'response' | 'shipment';
/** `key`: the same for every try. `stem`: what its name begins with. `encoding`: of its bytes. */
export type NewDocument = { kind: DocumentKind; key: string; stem: string; fileId: string | null; externalId: string | null; test: boolean; encoding: 'utf8' | 'latin1' };

/** One at a time for a dealer: its files and its answers are written in one order, so counters have no gaps and nothing deadlocks. */
export async function lockDealer(tx: Tx, channelId: number): Promise<void> {
  await tx.query('select pg_advisory_xact_lock(hashtext($1), $2)', ['tributary:dealer', channelId]);
}

/** The next number of a counter, in the transaction of what bears it: a rollback gives it back. Nine digits, then from 1 again (ISA13; 0020 takes more). */
export async function nextNumber(tx: Tx, channelId: number, name: string): Promise<number> {
  const row = await tx.one<{ value: string }>(
    `insert into dealer_counters as c (channel_id, name, value) values ($1, $2, 1) on conflict (channel_id, name) do update set value = c.value % 999999999 + 1 returning value::text`, [channelId, name]);
  return Number(row?.value);
}

const EXTENSION: Readonly<Record<DocumentKind, string>> = { '997': 'edi', TA1: 'edi', '855': 'edi', '856': 'edi', CONTRL: 'edi', ORDRSP: 'edi', DESADV: 'edi', response: 'csv', shipment: 'csv' };
const X12: ReadonlySet<string> = new Set(['997', 'TA1', '855', '856']);

/** Writes a document once per key, with control numbers of its own. After `lockDealer`. False: it was written before, and no number was spent. */
export async function writeDocument(tx: Tx, channelId: number, d: NewDocument, make: (numbers: Numbers, at: number) => string): Promise<boolean> {
  if (await tx.one('select 1 from dealer_documents where channel_id = $1 and key = $2', [channelId, d.key])) return false;
  const numbers: Numbers = { interchange: 0, group: 0, set: 0 };
  const table = d.kind === 'response' || d.kind === 'shipment';
  if (!table) {
    const standard = X12.has(d.kind) ? 'x12' : 'edifact';
    numbers.interchange = await nextNumber(tx, channelId, `${standard}.interchange`);
    if (standard === 'x12' && d.kind !== 'TA1') numbers.group = await nextNumber(tx, channelId, 'x12.group');
    if (d.kind !== 'TA1') numbers.set = await nextNumber(tx, channelId, `${standard}.set`);
  }
  const body = Buffer.from(make(numbers, tx.now.getTime()), d.encoding);
  const serial = table ? await nextNumber(tx, channelId, 'table') : numbers.interchange;
  await tx.query(
    `insert into dealer_documents (channel_id, kind, key, name, control, group_control, test, file_id, external_id, body, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [channelId, d.kind, d.key, `${d.stem}-${String(serial).padStart(9, '0')}-${d.kind}.${EXTENSION[d.kind]}`, table ? null : numbers.interchange, numbers.group === 0 ? null : numbers.group, d.test, d.fileId, d.externalId, body, tx.now]);
  return true;
}

/** What the dealer's own acknowledgments say of our documents; a number that we never gave is passed over. */
export async function noteReceipts(tx: Tx, channelId: number, receipts: readonly Receipt[]): Promise<void> {
  for (const r of receipts) {
    await tx.query(
      r.standard === 'x12' ? `update dealer_documents set receipt = $3 where channel_id = $1 and group_control = $2 and kind in ('855', '856')` : `update dealer_documents set receipt = $3 where channel_id = $1 and control = $2 and kind in ('ORDRSP', 'DESADV')`,
      [channelId, r.control, r.verdict]);
  }
}
