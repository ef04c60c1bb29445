import type { DealerOrder, FileFault } from '../../domain/dealer/order.ts';
import type { DealerProfile } from '../../domain/dealer/profile.ts';
import type { Sent } from '../../domain/edi/answer.ts';
import type { InterchangeReading, SentOrder } from '../../domain/edi/reading.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { bodyHash } from '../capture/prepare.ts';
import { storeHints } from '../channels/hints.ts';
import type { Channel } from '../network.ts';
import { identityOf } from '../promotions/facts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';
import { lockDealer, noteReceipts, writeDocument } from './documents.ts';

export type FileFormat = 'csv' | 'xlsx' | 'x12' | 'edifact';
export type FileHead = { name: string; format: FileFormat; sha256: Buffer; bytes: number; by: string };
/** A file as it was read. `orders` and `faults` are those of a table; those of interchanges lie with them. */
export type FileContent = { rows: number; orders: readonly SentOrder[]; faults: readonly FileFault[]; interchanges: readonly InterchangeReading[] };
type Outcome = 'taken' | 'repeated' | 'other_content' | 'unknown' | 'test';
type Placed = { sent: SentOrder; outcome: Outcome };

/**
 * Takes a dealer's file in one transaction: what it holds, what is wrong with it, the acknowledgment with its control numbers, the wish to go on. The same bytes again change nothing (`repeated`), the same order
 * numbers neither; a table that had faults is read again, for its profile may have been mended. An interchange whose control number was used before is not taken again. Killed before the commit nothing of it is
 * left, after it everything is.
 */
export async function takeFile(deps: { writer: StockWriter; vault: Vault }, channel: Channel, profile: DealerProfile, head: FileHead, content: FileContent): Promise<{ id: string; repeated: boolean }> {
  return deps.writer.change(async (tx) => {
    await lockDealer(tx, channel.id);
    const known = await tx.one<{ id: string; again: boolean }>(
      `update dealer_files f set repeated = repeated + 1 where channel_id = $1 and sha256 = $2 returning id, format in ('csv', 'xlsx') and exists (select from dealer_file_faults x where x.file_id = f.id) again`, [channel.id, head.sha256]);
    if (known && !known.again) return { id: known.id, repeated: true };
    const id = known?.id ?? uuidv7();
    if (known) {
      await tx.query('delete from dealer_file_faults where file_id = $1', [id]);
      await tx.query('delete from dealer_file_orders where file_id = $1', [id]);
    } else {
      await tx.query('insert into dealer_files (id, channel_id, name, format, sha256, bytes, rows, received_at, received_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
        [id, channel.id, head.name, head.format, head.sha256, head.bytes, content.rows, tx.now, head.by]);
    }
    const faults = [...content.faults];
    const placed = await placeOrders(tx, deps.vault, channel, profile, id, content.orders);
    for (const i of content.interchanges) placed.push(...await takeInterchange(tx, deps.vault, channel, profile, id, i, faults));
    for (const p of placed) {
      const { order, at } = p.sent;
      if (p.outcome === 'other_content') faults.push({ line: at, orderNo: order.orderNo, field: 'orderNo', detail: 'this order number was sent before with another content: give a new order a number of its own' });
      if (p.outcome === 'unknown') faults.push({ line: at, orderNo: order.orderNo, field: 'orderNo', detail: 'an order of this number is not known: nothing is to be cancelled' });
    }
    await writeOutcomes(tx, id, placed, faults);
    return { id, repeated: false };
  });
}

async function takeInterchange(tx: Tx, vault: Vault, channel: Channel, profile: DealerProfile, fileId: string, i: InterchangeReading, faults: FileFault[]): Promise<Placed[]> {
  const hash = bodyHash(i.text);
  const known = await tx.one<{ body_hash: Buffer }>('select body_hash from dealer_interchanges where channel_id = $1 and standard = $2 and sender = $3 and control = $4 and test = $5', [channel.id, i.standard, i.sender, i.control, i.test]);
  const document = (key: string, kind: '997' | 'TA1' | 'CONTRL') => ({ kind, key, stem: channel.code, fileId, externalId: null, test: i.test, encoding: i.encoding });
  if (known) {
    if (known.body_hash.equals(hash)) return i.orders.map((sent) => ({ sent, outcome: 'repeated' }));
    await writeDocument(tx, channel.id, document(`duplicate:${fileId}:${i.sender}:${i.control}`, i.duplicate.kind), i.duplicate.write);
    faults.push({ line: null, orderNo: null, field: 'control number', detail: `interchange ${i.control} is refused: its control number was used before, for another content. Send it with the next number` });
    return [];
  }
  await tx.query('insert into dealer_interchanges (channel_id, standard, sender, control, test, body_hash, file_id, received_at) values ($1, $2, $3, $4, $5, $6, $7, $8)', [channel.id, i.standard, i.sender, i.control, i.test, hash, fileId, tx.now]);
  faults.push(...i.faults);
  for (const a of i.answers) await writeDocument(tx, channel.id, document(`ack:${i.standard}:${i.sender}:${i.control}:${String(i.test)}:${a.key}`, a.kind), a.write);
  await noteReceipts(tx, channel.id, i.receipts);
  return i.test ? i.orders.map((sent) => ({ sent, outcome: 'test' })) : placeOrders(tx, vault, channel, profile, fileId, i.orders);
}

/** What tells an order from another of the same number: what the dealer sent, not what the profile makes of it. */
function contentHash(order: DealerOrder, profile: DealerProfile): Buffer {
  const { shipTo, lines, ...rest } = order;
  return bodyHash({ ...rest, shipTo: order.shipToCode !== null && profile.addressBook[order.shipToCode] ? null : shipTo, lines: lines.map(({ sku: _sku, merchantCode: _code, ...l }) => l) });
}

async function placeOrders(tx: Tx, vault: Vault, channel: Channel, profile: DealerProfile, fileId: string, orders: readonly SentOrder[]): Promise<Placed[]> {
  if (orders.length === 0) return [];
  const rows = await tx.query<{ external_id: string; body_hash: Buffer; cancelled: boolean }>(
    'select external_id, body_hash, cancel_file_id is not null cancelled from dealer_orders where channel_id = $1 and external_id = any($2::text[])', [channel.id, orders.map((o) => o.order.orderNo)]);
  const known = new Map(rows.map((r) => [r.external_id, { hash: r.body_hash, cancelled: r.cancelled }]));
  const placed: Placed[] = [];
  const fresh: { sent: SentOrder; hash: Buffer }[] = [];
  const cancels: SentOrder[] = [];
  for (const sent of orders) {
    const { order } = sent;
    const before = known.get(order.orderNo);
    if (order.purpose === 'cancel') {
      placed.push({ sent, outcome: !before ? 'unknown' : before.cancelled ? 'repeated' : 'taken' });
      if (before && !before.cancelled) cancels.push(sent);
      if (before) before.cancelled = true;
      continue;
    }
    const hash = contentHash(order, profile);
    placed.push({ sent, outcome: !before ? 'taken' : before.hash.equals(hash) ? 'repeated' : 'other_content' });
    if (before) continue;
    known.set(order.orderNo, { hash, cancelled: false });
    fresh.push({ sent, hash });
  }
  await insertOrders(tx, vault, channel, fileId, fresh);
  for (const c of cancels) {
    await tx.query('update dealer_orders set cancel_file_id = $3, cancel_sent = $4 where channel_id = $1 and external_id = $2', [channel.id, c.order.orderNo, fileId, JSON.stringify(c.sent satisfies Sent)]);
  }
  const hint = (orderNo: string, version: number) => ({ channelId: channel.id, channelCode: channel.code, key: `dealer:${orderNo}:${version}`, subject: 'order', topic: 'file', externalId: orderNo, version });
  await storeHints(tx.client, [...fresh.map((f) => hint(f.sent.order.orderNo, 1)), ...cancels.map((c) => hint(c.order.orderNo, 2))], 'push', tx.now);
  return placed;
}

/** The order as it was sent goes into the vault under its receiver's key, the same that the captured order will have. */
async function insertOrders(tx: Tx, vault: Vault, channel: Channel, fileId: string, fresh: readonly { sent: SentOrder; hash: Buffer }[]): Promise<void> {
  if (fresh.length === 0) return;
  const identities = fresh.map(({ sent: { order } }) => (order.shipTo ? identityOf({ shipTo: order.shipTo }, channel, vault) : null));
  const persons = await vault.persons(tx.client, identities);
  const ids = fresh.map(() => uuidv7());
  await tx.query(
    `insert into vault_records (id, person_id, kind, ciphertext) select i, p, 'dealer_order', c from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as u(i, p, c)`,
    [ids, persons.map((p) => p.id), fresh.map(({ sent }, k) => vault.sealFor(persons[k] as (typeof persons)[number], JSON.stringify(sent.order)))]);
  await tx.query(
    `insert into dealer_orders (channel_id, external_id, file_id, body_hash, sent, document_id, received_at) select $1, e, $2, h, s, d, $3 from unnest($4::text[], $5::bytea[], $6::jsonb[], $7::uuid[]) as u(e, h, s, d)`,
    [channel.id, fileId, tx.now, fresh.map((f) => f.sent.order.orderNo), fresh.map((f) => f.hash), fresh.map((f) => JSON.stringify(f.sent.sent)), ids]);
}

const MAX_FAULTS = 10_000;

async function writeOutcomes(tx: Tx, fileId: string, placed: readonly Placed[], faults: readonly FileFault[]): Promise<void> {
  await tx.query(
    `insert into dealer_file_orders (file_id, no, line, external_id, purpose, outcome) select $1, n, l, e, p, o from unnest($2::int[], $3::text[], $4::text[], $5::text[]) with ordinality as u(l, e, p, o, n)`,
    [fileId, placed.map((p) => p.sent.at), placed.map((p) => p.sent.order.orderNo), placed.map((p) => p.sent.order.purpose), placed.map((p) => p.outcome)]);
  const kept = faults.slice(0, MAX_FAULTS);
  await tx.query(
    `insert into dealer_file_faults (file_id, no, line, order_no, field, detail) select $1, n, l, o, f, d from unnest($2::int[], $3::text[], $4::text[], $5::text[]) with ordinality as u(l, o, f, d, n)`,
    [fileId, kept.map((f) => f.line), kept.map((f) => f.orderNo?.slice(0, 100) ?? null), kept.map((f) => f.field), kept.map((f) => f.detail.slice(0, 1000))]);
}
