import { profileOf, type DealerProfile } from '../../domain/dealer/profile.ts';
import type { DespatchParcel } from '../../domain/dealer/desk.ts';
import { csvRow } from '../../domain/dealer/values.ts';
import { sscc, type Numbers, type OrderAnswer, type Sent, type ShipmentNotice } from '../../domain/edi/answer.ts';
import { encodingOf } from '../../domain/edi/edifact/segments.ts';
import { writeDesadv, writeOrdrsp } from '../../domain/edi/edifact/write.ts';
import { write855, write856 } from '../../domain/edi/x12/write.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { encodeId } from '../../domain/ids.ts';
import { cancelUnitsOf } from '../channels/take-off.ts';
import type { LineMap } from '../channels/intake.ts';
import { cancelOrder } from '../orders/cancel-order.ts';
import type { Channel } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockDealer, nextNumber, writeDocument, type NewDocument } from './documents.ts';
import { lineFacts } from './line-facts.ts';

type Row = {
  sent: Sent; cancel_sent: Sent | null; file_id: string; cancel_file_id: string | null; document_id: string | null; refused: string | null; answered: boolean; cancel_answered: boolean;
  order_id: string | null; lines: LineMap[] | null; status: string | null; ended: boolean; asked: boolean;
};
const readRow = (tx: Tx, channelId: number, externalId: string): Promise<Row | null> => tx.one<Row>(
  `select d.sent, d.cancel_sent, d.file_id, d.cancel_file_id, d.document_id, d.refused, d.answered_at is not null answered, d.cancel_answered_at is not null cancel_answered, c.order_id, c.lines, o.status,
     -- of one that was merged into another: its lines there
     coalesce((select bool_and(l.cancelled_quantity = l.quantity) from order_lines l where l.merged_from = o.id), o.status = 'cancelled', false) ended,
     exists (select from fulfillment_orders f where f.order_id = coalesce((select l.order_id from order_lines l where l.merged_from = o.id limit 1), o.id)
       and f.cancel_requested_at is not null and f.cancel_outcome is null and f.status not in ('cancelled', 'rejected')) asked
   from dealer_orders d left join channel_orders c on c.channel_id = d.channel_id and c.external_id = d.external_id left join orders o on o.id = c.order_id where d.channel_id = $1 and d.external_id = $2`, [channelId, externalId]);

/** It was read before it was refused, and captured after: the dealer has been told no, so it is no. */
async function undoRefused(writer: StockWriter, channel: Channel, externalId: string): Promise<void> {
  const row = await writer.change((tx) => readRow(tx, channel.id, externalId));
  if (row?.refused != null && row.order_id !== null && !row.ended) await cancelOrder(writer, row.order_id, 'refused before it was captured', `channel:${channel.code}`);
}

/** Cuts what is not on hand off an order whose dealer takes no backorders. Once: the figure is the whole of what is cancelled. */
async function cutMissing(writer: StockWriter, channel: Channel, externalId: string): Promise<void> {
  const found = await writer.change(async (tx) => {
    const row = await readRow(tx, channel.id, externalId);
    return row?.order_id && row.lines && !row.answered && !row.cancel_file_id ? { orderId: row.order_id, map: row.lines, facts: await lineFacts(tx, row.order_id, row.lines) } : null;
  });
  const missing = found?.facts.filter((f) => f.backordered > 0) ?? [];
  if (!found || missing.length === 0) return;
  await cancelUnitsOf(writer, found.orderId, missing.map((f) => ({ lineId: f.lineNo, cancelled: (found.map.find((m) => m.lineId === f.lineNo)?.units ?? 0) - f.accepted })), found.map, `channel:${channel.code}`);
}

/**
 * Says to the dealer what became of an order and, later, of its cancellation: each once, with its control numbers, in the transaction that notes it. The order's document in the vault is dropped with it, for the
 * captured order has everything. Throws PartnerUnavailable while a location has not said whether it gives the goods back.
 */
export async function answerOrder(writer: StockWriter, channel: Channel, profile: DealerProfile, externalId: string): Promise<void> {
  await undoRefused(writer, channel, externalId);
  if (profile.backorders === 'cut') await cutMissing(writer, channel, externalId);
  const waits = await writer.change(async (tx) => {
    await lockDealer(tx, channel.id);
    const row = await readRow(tx, channel.id, externalId);
    if (!row) return false;
    const base = { orderNo: externalId, ourNo: row.order_id === null ? null : encodeId('ord', row.order_id), at: tx.now.getTime() };
    if (!row.answered && (row.order_id !== null || row.refused !== null)) {
      const answer: OrderAnswer = { ...base, purpose: 'original', agreed: row.refused === null, lines: row.order_id === null ? [] : await lineFacts(tx, row.order_id, row.lines ?? []) };
      await say(tx, channel, row.file_id, row.sent, answer);
      await tx.query('update dealer_orders set answer = $3, answered_at = $4, document_id = null where channel_id = $1 and external_id = $2', [channel.id, externalId, JSON.stringify(answer), tx.now]);
      await dropDocument(tx, row.document_id);
    }
    if (row.cancel_file_id === null || row.cancel_sent === null || row.cancel_answered) return false;
    if (row.order_id !== null && !row.ended && row.asked) return true;
    const agreed = row.order_id === null || row.ended;
    await say(tx, channel, row.cancel_file_id, row.cancel_sent, { ...base, purpose: 'cancel', agreed, lines: [] });
    await tx.query('update dealer_orders set cancel_answered_at = $3, document_id = null where channel_id = $1 and external_id = $2', [channel.id, externalId, tx.now]);
    await dropDocument(tx, row.document_id);
    return false;
  });
  if (waits) throw new PartnerUnavailable('the location has not said yet whether it gives the goods back');
}

async function dropDocument(tx: Tx, documentId: string | null): Promise<void> {
  if (documentId !== null) await tx.query('delete from vault_records where id = $1', [documentId]);
}

/** We refuse an order whole, for a reason that stays on it; the dealer is told. Of one that was captured nothing changes: false. */
export async function refuseOrder(writer: StockWriter, channel: Channel, externalId: string, reason: string): Promise<boolean> {
  const refused = await writer.change(async (tx) => {
    // Not while somebody captures it (apply-order.ts).
    await tx.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [`tributary:channel-order:${channel.id}`, externalId]);
    await lockDealer(tx, channel.id);
    const rows = await tx.query(
      `update dealer_orders d set refused = $3 where channel_id = $1 and external_id = $2 and refused is null and answered_at is null
         and not exists (select from orders o where o.channel_id = $1 and o.external_id = $2) returning 1`, [channel.id, externalId, reason]);
    if (rows.length > 0) {
      await tx.query(
        `insert into channel_orders (channel_id, external_id, state, hold_reason, hold_detail, first_seen_at, updated_at) values ($1, $2, 'ignored', 'refused', $3, $4, $4)
         on conflict (channel_id, external_id) do update set state = 'ignored', hold_reason = 'refused', hold_detail = excluded.hold_detail, hold_key = null, updated_at = excluded.updated_at`, [channel.id, externalId, reason, tx.now]);
    }
    return rows.length > 0;
  });
  await answerOrder(writer, channel, profileOf(channel.currency, {}, {}), externalId);
  return refused;
}

/** An order that was agreed to comes to nothing on our side: the dealer is told once, as if it had been refused. */
export async function orderEnded(writer: StockWriter, channel: Channel, externalId: string): Promise<void> {
  await writer.change(async (tx) => {
    await lockDealer(tx, channel.id);
    const row = await readRow(tx, channel.id, externalId);
    if (!row || row.refused !== null) return;
    await say(tx, channel, row.file_id, row.sent, { orderNo: externalId, ourNo: row.order_id === null ? null : encodeId('ord', row.order_id), purpose: 'original', at: tx.now.getTime(), agreed: false, lines: [] }, `ended:${externalId}`);
  });
}

const documentOf = (channel: Channel, sent: Sent, kinds: [x12: '855' | '856', edifact: 'ORDRSP' | 'DESADV', table: 'response' | 'shipment'], key: string, fileId: string, externalId: string): NewDocument => {
  const { route } = sent;
  const kind = route.standard === 'x12' ? kinds[0] : route.standard === 'edifact' ? kinds[1] : kinds[2];
  return { kind, key, stem: channel.code, fileId, externalId, test: route.standard !== 'table' && route.test, encoding: route.standard === 'edifact' ? encodingOf(route.syntax) : 'utf8' };
};

async function say(tx: Tx, channel: Channel, fileId: string, sent: Sent, answer: OrderAnswer, key = `${answer.purpose}:${answer.orderNo}`): Promise<void> {
  const { route } = sent;
  await writeDocument(tx, channel.id, documentOf(channel, sent, ['855', 'ORDRSP', 'response'], key, fileId, answer.orderNo), (numbers: Numbers) =>
    (route.standard === 'x12' ? write855(sent, route, answer, numbers) : route.standard === 'edifact' ? writeOrdrsp(sent, route, answer, numbers) : responseTable(sent, answer)));
}

const BOM = '\uFEFF';
function responseTable(sent: Sent, answer: OrderAnswer): string {
  const rows = sent.lines.map((l) => {
    const { accepted = 0, backordered = 0 } = answer.lines.find((a) => a.lineNo === l.lineNo) ?? {};
    return csvRow([answer.orderNo, answer.ourNo, l.lineNo, l.ids[0]?.id ?? '', l.quantity, accepted, backordered, Math.max(0, l.quantity - accepted - backordered)]);
  });
  return BOM + csvRow(['orderNo', 'order', 'lineNo', 'sku', 'ordered', 'accepted', 'backordered', 'refused']) + rows.join('');
}

/** Tells the dealer of each shipment of an order once: its parcels with their waybills and, where the profile has a GS1 prefix, SSCCs that were never given before. */
export async function despatchOrder(writer: StockWriter, channel: Channel, profile: DealerProfile, externalId: string, parcels: readonly DespatchParcel[]): Promise<void> {
  for (const shipment of new Set(parcels.map((p) => p.shipment))) {
    const own = parcels.filter((p) => p.shipment === shipment);
    await writer.change(async (tx) => {
      await lockDealer(tx, channel.id);
      const row = await readRow(tx, channel.id, externalId);
      const key = `shipment:${externalId}:${shipment}`;
      if (!row || await tx.one('select 1 from dealer_documents where channel_id = $1 and key = $2', [channel.id, key])) return;
      const { sent } = row;
      const { route } = sent;
      const notice: ShipmentNotice = { orderNo: externalId, shipmentNo: encodeId('shp', shipment), shippedAt: own[0]?.shippedAt ?? tx.now.getTime(), at: tx.now.getTime(), parcels: [] };
      for (const p of own) {
        const serial = profile.gs1Prefix === null || route.standard === 'table' ? null : await nextNumber(tx, 0, `sscc:${profile.gs1Prefix}`);
        notice.parcels.push({ carrier: p.carrier, waybillNo: p.waybillNo, sscc: serial === null || profile.gs1Prefix === null ? null : sscc(profile.gs1Prefix, serial), lines: p.lines.map((l) => ({ lineNo: l.lineId, quantity: l.quantity })) });
      }
      const carrierOf = (code: string): { code: string; scac: boolean } => ({ code: profile.carrierCodes[code] ?? code, scac: profile.carrierCodes[code] !== undefined });
      await writeDocument(tx, channel.id, documentOf(channel, sent, ['856', 'DESADV', 'shipment'], key, row.file_id, externalId), (numbers: Numbers) =>
        (route.standard === 'x12' ? write856(sent, route, notice, carrierOf, numbers) : route.standard === 'edifact' ? writeDesadv(sent, route, notice, carrierOf, numbers) : shipmentTable(sent, notice, carrierOf)));
    });
  }
}

function shipmentTable(sent: Sent, notice: ShipmentNotice, carrierOf: (code: string) => { code: string }): string {
  const rows = notice.parcels.flatMap((p) => p.lines.map((l) =>
    csvRow([notice.orderNo, l.lineNo, sent.lines.find((s) => s.lineNo === l.lineNo)?.ids[0]?.id ?? '', l.quantity, carrierOf(p.carrier).code, p.waybillNo, new Date(notice.shippedAt).toISOString(), notice.shipmentNo])));
  return BOM + csvRow(['orderNo', 'lineNo', 'sku', 'quantity', 'carrier', 'waybillNo', 'shippedAt', 'shipment']) + rows.join('');
}
