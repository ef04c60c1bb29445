import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { KeptOrder } from '../../domain/dealer/desk.ts';
import type { DealerOrder } from '../../domain/dealer/order.ts';
import type { OrderAnswer, Sent } from '../../domain/edi/answer.ts';
import type { Vault } from '../vault.ts';

export async function keptOrder(pool: pg.Pool, vault: Vault, channelId: number, externalId: string): Promise<KeptOrder | null> {
  const { rows: [row] } = await pool.query<{ sent: Sent; document_id: string | null; cancelled: boolean; refused: boolean; received_at: Date }>({
    name: 'dealer_order', text: 'select sent, document_id, cancel_file_id is not null cancelled, refused is not null refused, received_at from dealer_orders where channel_id = $1 and external_id = $2', values: [channelId, externalId] });
  if (!row) return null;
  const bytes = row.document_id === null ? null : await vault.readDocument(pool, row.document_id);
  return { order: bytes === null ? null : JSON.parse(bytes.toString()) as DealerOrder, sent: row.sent, cancelled: row.cancelled, refused: row.refused, receivedAt: row.received_at.getTime() };
}

export type FileSummary = {
  id: string; channel: string; name: string; format: string; sha256: string; bytes: number; rows: number; orders: number; faults: number; repeated: number; receivedAt: string; receivedBy: string;
};
type FileRow = { id: string; channel: string; no: string; name: string; format: string; sha256: Buffer; bytes: number; rows: number; orders: number; faults: number; repeated: number; received_at: Date; received_by: string };
const FILE = `f.id, c.code channel, f.no, f.name, f.format, f.sha256, f.bytes, f.rows, f.repeated, f.received_at, f.received_by, (select count(*)::int from dealer_file_orders o where o.file_id = f.id) orders,
  (select count(*)::int from dealer_file_faults x where x.file_id = f.id) faults from dealer_files f join channels c on c.id = f.channel_id`;
const summary = ({ no: _no, sha256, received_at, received_by, id, ...r }: FileRow): FileSummary => ({ id: encodeId('fil', id), ...r, sha256: sha256.toString('hex'), receivedAt: received_at.toISOString(), receivedBy: received_by });

/** Files of a dealer (null: of all), the newest first, before one of them. */
export async function dealerFiles(pool: pg.Pool, channelId: number | null, before: string | null, limit: number): Promise<FileSummary[]> {
  const { rows } = await pool.query<FileRow>(
    `select ${FILE} where ($1::int is null or f.channel_id = $1) and ($2::uuid is null or f.no < (select no from dealer_files where id = $2)) order by f.no desc limit $3`, [channelId, before === null ? null : decodeId('fil', before), limit]);
  return rows.map(summary);
}

export type FileFaultView = { line: number | null; orderNo: string | null; field: string | null; detail: string };
/** `state`: of the order now: waiting, held (`reason` says why), open, ignored, refused. */
export type FileOrderView = { line: number; orderNo: string; purpose: string; outcome: string; order: string | null; state: string | null; reason: string | null; detail: string | null };
export type DocumentView = { id: number; channel: string; kind: string; name: string; control: number | null; test: boolean; file: string | null; orderNo: string | null; bytes: number; createdAt: string; deliveredAt: string | null; receipt: string | null };
export type FileView = FileSummary & { faultList: FileFaultView[]; orderList: FileOrderView[]; documents: DocumentView[] };

export async function dealerFile(pool: pg.Pool, fileId: string): Promise<FileView | null> {
  const { rows: [row] } = await pool.query<FileRow>(`select ${FILE} where f.id = $1`, [fileId]);
  if (!row) return null;
  const [faults, orders, documents] = await Promise.all([
    pool.query<FileFaultView>('select line, order_no "orderNo", field, detail from dealer_file_faults where file_id = $1 order by line nulls last, no', [fileId]),
    fileOrders(pool, fileId),
    readDocuments(pool, { fileId, channelId: null, open: false, after: 0, limit: 10_000 }),
  ]);
  return { ...summary(row), faultList: faults.rows, orderList: orders.map(({ answer: _answer, sent: _sent, ...o }) => o), documents };
}

export type FileOrderRow = FileOrderView & { answer: OrderAnswer | null; sent: Sent | null };
export async function fileOrders(pool: pg.Pool, fileId: string): Promise<FileOrderRow[]> {
  const { rows } = await pool.query<FileOrderRow & { order_id: string | null }>(
    `select o.line, o.external_id "orderNo", o.purpose, o.outcome, c.order_id, case when o.outcome in ('taken', 'repeated') then case when d.refused is not null then 'refused' else coalesce(c.state, 'waiting') end end state,
       coalesce(case when d.refused is not null then 'refused' end, c.hold_reason) reason, coalesce(d.refused, c.hold_detail) detail, case when o.outcome in ('taken', 'repeated') then d.answer end answer, case when o.outcome in ('taken', 'repeated') then d.sent end sent
     from dealer_file_orders o join dealer_files f on f.id = o.file_id left join dealer_orders d on d.channel_id = f.channel_id and d.external_id = o.external_id and o.outcome <> 'test'
       left join channel_orders c on c.channel_id = d.channel_id and c.external_id = d.external_id where o.file_id = $1 order by o.no`, [fileId]);
  return rows.map(({ order_id, ...r }) => ({ ...r, order: order_id === null ? null : encodeId('ord', order_id) }));
}

/** Whether these bytes are known, and whether reading them again could change anything. */
export async function knownFile(pool: pg.Pool, channelId: number, sha256: Buffer): Promise<string | null> {
  const { rows: [row] } = await pool.query<{ id: string }>(
    `update dealer_files f set repeated = repeated + 1 where channel_id = $1 and sha256 = $2 and not (format in ('csv', 'xlsx') and exists (select from dealer_file_faults x where x.file_id = f.id)) returning id`, [channelId, sha256]);
  return row?.id ?? null;
}

type DocumentRow = { id: string; channel: string; kind: string; name: string; control: number | null; test: boolean; file_id: string | null; external_id: string | null; bytes: number; created_at: Date; delivered_at: Date | null; receipt: string | null };
/** What was written to dealers, the oldest first, after a number. `open`: what nobody has taken yet. */
export async function readDocuments(pool: pg.Pool, q: { fileId: string | null; channelId: number | null; open: boolean; after: number; limit: number }): Promise<DocumentView[]> {
  const { rows } = await pool.query<DocumentRow>(
    `select d.id, c.code channel, d.kind, d.name, d.control, d.test, d.file_id, d.external_id, length(d.body) bytes, d.created_at, d.delivered_at, d.receipt from dealer_documents d join channels c on c.id = d.channel_id
     where ($1::uuid is null or d.file_id = $1) and ($2::int is null or d.channel_id = $2) and (not $3 or d.delivered_at is null) and d.id > $4 order by d.id limit $5`, [q.fileId, q.channelId, q.open, q.after, q.limit]);
  return rows.map((r) => ({
    id: Number(r.id), channel: r.channel, kind: r.kind, name: r.name, control: r.control, test: r.test, file: r.file_id === null ? null : encodeId('fil', r.file_id), orderNo: r.external_id, bytes: r.bytes,
    createdAt: r.created_at.toISOString(), deliveredAt: r.delivered_at?.toISOString() ?? null, receipt: r.receipt,
  }));
}

export async function documentBody(pool: pg.Pool, id: number): Promise<{ name: string; kind: string; body: Buffer } | null> {
  const { rows: [row] } = await pool.query<{ name: string; kind: string; body: Buffer }>('select name, kind, body from dealer_documents where id = $1', [id]);
  return row ?? null;
}

/** Somebody has taken it to the dealer; again gives the first moment. Null: no such document. */
export async function documentDelivered(pool: pg.Pool, id: number, now: Date): Promise<Date | null> {
  const { rows: [row] } = await pool.query<{ at: Date }>('update dealer_documents set delivered_at = coalesce(delivered_at, $2) where id = $1 returning delivered_at at', [id, now]);
  return row?.at ?? null;
}
