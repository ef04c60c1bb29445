import { Problem } from '../../domain/problem.ts';
import { takeSold } from '../../domain/till/take.ts';
import { bodyHash } from '../capture/prepare.ts';
import { noteReceipt } from '../demand/note-receipts.ts';
import { ensureLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import { changeLevels, NotOnHand } from '../stock/change-levels.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type TillLine = { sku: string; quantity: number; unitPrice: number; discount?: number; condition?: 'sellable' | 'damaged' };
/** A receipt as its till wrote it. Money in minor units. `refersTo`: of a void, the receipt it undoes (it has no lines of its own); of a return, where known. `channel`: which its demand belongs to; left out: the shop's tills. */
export type TillReceipt = {
  location: string; till: string; receiptNo: string; kind: 'sale' | 'return' | 'void'; soldAt: string; currency: string; channel?: string; refersTo?: string; lines: TillLine[]; tenders?: { method: string; amount: number }[];
};
/** `unbacked`: units sold that were not on hand; `shortened`: reserved units that a customer has carried out; `unknown`: lines of SKUs that we do not know, booked when the receipt comes again and we do. */
export type BookAnswer = { repeated: boolean; voided: boolean; unbacked: number; shortened: number; unknown: { line: number; sku: string }[] };

const ATTEMPTS = 20;

type Key = { locationId: number; till: string; receiptNo: string };
type LineRow = { line_no: number; sku_code: string; sku_id: number | null; quantity: number; condition: string; posted: [number, number][]; unbacked: number };

/** What was paid, minor units; a return's is paid out. Throws `unprocessable` where discounts or tenders do not fit. */
export function totalOf(receipt: TillReceipt): number {
  receipt.lines.forEach((l, i) => {
    if ((l.discount ?? 0) > l.quantity * l.unitPrice) throw new Problem('unprocessable', 'the discount is more than the line costs', `/lines/${i}/discount`);
  });
  const total = receipt.lines.reduce((sum, l) => sum + l.quantity * l.unitPrice - (l.discount ?? 0), 0);
  const tendered = receipt.tenders?.reduce((sum, t) => sum + t.amount, 0);
  if (tendered !== undefined && tendered !== total) throw new Problem('unprocessable', `the tenders are ${tendered}, the lines ${total}: they must be equal (change given is taken off)`, '/tenders');
  return total;
}

/**
 * Books a receipt once, by shop, till and number, however often and late it comes, and posts its stock at the shop in the same transaction. A sale is a fact: what is not on hand is noted, not
 * refused. A void undoes its receipt exactly, also when it comes first. Throws `duplicate_with_other_body`, `unprocessable`, `unknown_channel`.
 */
export async function bookReceipt(writer: StockWriter, network: Network, locationId: number, receipt: TillReceipt, actor: string): Promise<BookAnswer> {
  const total = totalOf(receipt);
  if (receipt.kind === 'void' ? receipt.refersTo === undefined || receipt.lines.length > 0 : receipt.lines.length === 0) {
    throw new Problem('unprocessable', receipt.kind === 'void' ? 'a void names the receipt that it undoes (refersTo), and has no lines' : `a ${receipt.kind} has lines`, receipt.kind === 'void' ? '/refersTo' : '/lines');
  }
  const soldAt = new Date(receipt.soldAt);
  if (soldAt.getTime() > writer.clock().getTime() + 86_400_000) throw new Problem('unprocessable', 'soldAt lies more than a day ahead: is the clock of the till right?', '/soldAt');
  const channelId = channelOf(network, receipt);
  await network.loadSkus(receipt.lines.map((l) => l.sku));
  const hash = bodyHash(receipt);
  const key: Key = { locationId, till: receipt.till, receiptNo: receipt.receiptNo };
  const book = (): Promise<BookAnswer> => writer.change(async (tx) => {
    // One receipt of a till at a time: a void and its receipt may come together, in any order.
    await tx.query('select pg_advisory_xact_lock(hashtext($1), $2)', [`tributary:till:${receipt.till}`, locationId]);
    const known = await tx.one<{ body_hash: Buffer; voided_by: string | null }>('select body_hash, voided_by from till_receipts where location_id = $1 and till = $2 and receipt_no = $3', [locationId, receipt.till, receipt.receiptNo]);
    if (known && !known.body_hash.equals(hash)) throw new Problem('duplicate_with_other_body', `receipt "${receipt.receiptNo}" of till "${receipt.till}" was booked with another content`, '/receiptNo');
    let voided = (known?.voided_by ?? null) !== null;
    if (!known) {
      const undone = receipt.kind === 'void' ? null : await tx.one<{ receipt_no: string }>(`select receipt_no from till_receipts where location_id = $1 and till = $2 and refers_to = $3 and kind = 'void'`, [locationId, receipt.till, receipt.receiptNo]);
      voided = undone !== null;
      await tx.query(
        `insert into till_receipts (location_id, till, receipt_no, kind, refers_to, sold_at, currency, total, tenders, body_hash, voided_by, booked_at, channel_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
        [locationId, receipt.till, receipt.receiptNo, receipt.kind, receipt.refersTo ?? null, soldAt, receipt.currency, total, JSON.stringify(receipt.tenders ?? []), hash, undone?.receipt_no ?? null, tx.now, channelId]);
      await tx.query(
        `insert into till_receipt_lines (location_id, till, receipt_no, line_no, sku_code, quantity, unit_price, discount, condition, posted, unbacked)
         select $1, $2, $3, n, s, q, p, d, c, '[]', 0 from unnest($4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[]) with ordinality t(s, q, p, d, c, n)`,
        [locationId, receipt.till, receipt.receiptNo, receipt.lines.map((l) => l.sku), receipt.lines.map((l) => l.quantity), receipt.lines.map((l) => l.unitPrice), receipt.lines.map((l) => l.discount ?? 0), receipt.lines.map((l) => l.condition ?? 'sellable')]);
    }
    const shortened = receipt.kind === 'void' ? (known ? 0 : await undo(tx, key, receipt.refersTo ?? '', actor)) : voided ? 0 : await post(tx, network, key, receipt.kind, actor);
    await noteReceipt(tx, locationId, receipt.till, receipt.kind === 'void' ? receipt.refersTo ?? '' : receipt.receiptNo);
    const lines = await linesOf(tx, key);
    return {
      repeated: known !== null, voided, shortened, unbacked: lines.reduce((sum, l) => sum + l.unbacked, 0),
      unknown: lines.filter((l) => l.sku_id === null).map((l) => ({ line: l.line_no, sku: l.sku_code })),
    };
  });
  // Holders are chosen without locks, for orders are locked before levels: where somebody was faster, it is chosen again.
  for (let attempt = 1; ; attempt++) {
    try {
      return await book();
    } catch (error) {
      if (!(error instanceof NotOnHand) || attempt === ATTEMPTS) throw error;
    }
  }
}

function channelOf(network: Network, { channel: code, currency }: TillReceipt): number | null {
  if (code === undefined) return null;
  const channel = network.channels.get(code);
  if (!channel?.active) throw new Problem('unknown_channel', `channel "${code}" is not known or not active`, '/channel');
  if (channel.currency !== currency) throw new Problem('unprocessable', `channel ${code} takes ${channel.currency}, not ${currency}`, '/currency');
  return channel.id;
}

const linesOf = (tx: Tx, key: Key): Promise<LineRow[]> => tx.query<LineRow>(
  'select line_no, sku_code, sku_id, quantity, condition, posted, unbacked from till_receipt_lines where location_id = $1 and till = $2 and receipt_no = $3 order by line_no', [key.locationId, key.till, key.receiptNo]);

/** Posts the lines that are not booked yet and whose SKU is known. Returns how many reserved units were sold. */
async function post(tx: Tx, network: Network, key: Key, kind: 'sale' | 'return', actor: string): Promise<number> {
  const open = (await linesOf(tx, key)).filter((l) => l.sku_id === null).flatMap((l) => { const sku = network.knownSku(l.sku_code); return sku ? [{ ...l, sku }] : []; });
  const delta = new Map<number, number>();
  const add = (levelId: number, units: number): void => { delta.set(levelId, (delta.get(levelId) ?? 0) + units); };
  for (const line of open) {
    // Goods that come back without a word of their lot wait in quarantine until somebody has read it.
    const condition = kind === 'return' && line.sku.lotTracked && line.condition === 'sellable' ? 'quarantine' : line.condition;
    let posted: [number, number][];
    let unbacked = 0;
    if (kind === 'return') {
      const [levelId] = await ensureLevels(tx.client, [{ locationId: key.locationId, skuId: line.sku.id, condition, lotId: 0 }]);
      posted = [[levelId as number, line.quantity]];
    } else {
      const rows = await tx.query<{ id: string; on_hand: number; reserved: number }>(
        `select v.id, v.on_hand, v.reserved from stock_levels v left join lots l on l.id = v.lot_id where v.location_id = $1 and v.sku_id = $2 and v.condition = $3 and v.allotment_id = 0 and v.on_hand > 0 order by l.expires_on nulls last, v.id`,
        [key.locationId, line.sku.id, condition]);
      const shelves = rows.map((v) => { const onHand = v.on_hand + (delta.get(Number(v.id)) ?? 0); return { levelId: Number(v.id), onHand, free: onHand - v.reserved }; });
      const sold = takeSold(line.quantity, shelves);
      posted = sold.taken.map((t) => [t.levelId, -t.units]);
      ({ unbacked } = sold);
    }
    for (const [levelId, units] of posted) add(levelId, units);
    await tx.query('update till_receipt_lines set sku_id = $5, posted = $6, unbacked = $7 where location_id = $1 and till = $2 and receipt_no = $3 and line_no = $4',
      [key.locationId, key.till, key.receiptNo, line.line_no, line.sku.id, JSON.stringify(posted), unbacked]);
  }
  return delta.size === 0 ? 0 : changeLevels(tx, kind === 'sale' ? 'till_sale' : 'till_return', delta, actor);
}

/** Puts back exactly what the receipt has moved. A receipt that has not come yet is met by its void when it does. */
async function undo(tx: Tx, key: Key, receiptNo: string, actor: string): Promise<number> {
  const of = { ...key, receiptNo };
  const original = await tx.one<{ kind: string; voided_by: string | null }>('select kind, voided_by from till_receipts where location_id = $1 and till = $2 and receipt_no = $3', [key.locationId, key.till, receiptNo]);
  if (!original) return 0;
  if (original.kind === 'void') throw new Problem('unprocessable', `receipt "${receiptNo}" is a void itself`, '/refersTo');
  if (original.voided_by !== null) throw new Problem('conflict', `receipt "${receiptNo}" was voided before, by "${original.voided_by}"`, '/refersTo');
  await tx.query('update till_receipts set voided_by = $4 where location_id = $1 and till = $2 and receipt_no = $3', [key.locationId, key.till, receiptNo, key.receiptNo]);
  const delta = new Map<number, number>();
  for (const line of await linesOf(tx, of)) for (const [levelId, units] of line.posted) delta.set(levelId, (delta.get(levelId) ?? 0) - units);
  if (delta.size === 0) return 0;
  // Of a return that is undone, the customer keeps the goods: what has been sold on meanwhile is not on hand to be taken back.
  const levels = await tx.query<{ id: string; on_hand: number }>('select id, on_hand from stock_levels where id = any($1::bigint[])', [[...delta.keys()]]);
  const most = new Map(levels.map((v) => [Number(v.id), Math.max(delta.get(Number(v.id)) ?? 0, -v.on_hand)]));
  return changeLevels(tx, 'till_void', most, actor);
}
