import { encodeId } from '../../domain/ids.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { Problem } from '../../domain/problem.ts';
import { TERMINAL } from '../../domain/order/status.ts';
import { lockLevels } from '../ledger.ts';
import type { Location, Network } from '../network.ts';
import { lockOrder, type Order } from '../orders/order.ts';
import type { StockWriter } from '../stock-writer.ts';
import { createTransferIn } from '../transfers/create.ts';
import { readTransferPolicy } from '../transfers/policy.ts';
import type { Tx } from '../tx.ts';
import { bring, readyWhenBrought, sources, type Sending } from './bring.ts';
import { LACKING } from './lacking.ts';

/**
 * What a shop lacks of an order that is to be fetched there is sent to it by transfers that are approved at once, for each SKU from the nearest place of our own that has it all to spare, else from several. Run again, or at
 * the same time, only what no transfer brings is asked for. What is not to be had as a whole, or cannot be asked for (`pickup.not_sent` on the timeline, once), waits as any shortage does.
 */
export async function sendToStore(writer: StockWriter, network: Network, orderId: string): Promise<void> {
  const { rows } = await writer.pool.query<{ sku: string }>(`select k.code sku from ${LACKING('$1::uuid')} l join skus k on k.id = l.sku_id where l.units > 0`, [orderId]);
  if (rows.length === 0) return;
  await network.loadSkus(rows.map((r) => r.sku));
  try {
    await writer.change((tx) => sendIn(tx, network, orderId));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    // What cannot be set aside after all waits for the next news; nor does anything else that is refused become better by asking at once.
    if (error.code !== 'insufficient_stock') await writer.change(async (tx) => { await tellNotSent(tx, (await lockOrder(tx, orderId)).id, error.message); });
  }
}

async function tellNotSent(tx: Tx, orderId: string, reason: string): Promise<void> {
  if (await tx.one(`select 1 from order_events where order_id = $1 and type = 'pickup.not_sent' limit 1`, [orderId])) return;
  await tx.event(orderId, 'pickup.not_sent', 'system', { reason });
}

async function sendIn(tx: Tx, network: Network, orderId: string): Promise<void> {
  const order = await lockOrder(tx, orderId);
  const shop = order.forcedLocationId === null ? undefined : network.locationById.get(order.forcedLocationId);
  if (order.way !== 'ship_to_store' || !shop || TERMINAL.has(order.status) || order.holdReason || !order.validatedAt || isPaymentDue(order.paymentStatus)) return;
  const rows = await tx.query<{ skuId: number; sku: string; units: number }>(`select l.sku_id "skuId", k.code sku, l.units from ${LACKING('$1::uuid')} l join skus k on k.id = l.sku_id where l.units > 0 order by 2`, [orderId]);
  if (rows.length === 0) return;
  if (!shop.active) return tellNotSent(tx, orderId, `location "${shop.code}" is closed`);
  const skuIds = rows.map((r) => r.skuId);
  // Locked and read again, so that what is chosen is there.
  await lockLevels(tx.client, (await sources(tx, shop, skuIds)).flatMap((s) => s.levels));
  const before = await tx.query<{ place: string; tried: number; failed: boolean }>(
    `select t.from_location_id || '|' || l.sku_id place, count(*)::int tried, bool_or(t.status = 'cancelled') failed from transfers t join transfer_lines l on l.transfer_id = t.id where t.order_id = $1 group by 1`, [orderId]);
  const { sendings, missing } = bring(network, shop, new Map(rows.map((r) => [r.skuId, r.units])), await sources(tx, shop, skuIds), new Set(before.flatMap((b) => (b.failed ? [b.place] : []))));
  const name = encodeId('ord', orderId);
  for (const { from, skuId, units } of sendings) {
    const sku = rows.find((r) => r.skuId === skuId)?.sku ?? '';
    const tried = before.find((b) => b.place === `${from.id}|${skuId}`)?.tried ?? 0;
    await createTransferIn(tx, network, {
      reference: `ship-to-store:${name}:${sku}:${from.code}${tried > 0 ? `:${tried + 1}` : ''}`, reason: 'order', from: from.code, to: shop.code, lines: [{ sku, quantity: units }], order: name, approve: true,
    }, { actor: 'system', onlyLocation: null });
  }
  if (sendings.length > 0 && missing.size === 0) await promiseBrought(tx, network, order, shop, sendings);
}

/** The date that was quoted, kept from the first time that all of it is under way. */
async function promiseBrought(tx: Tx, network: Network, order: Order, shop: Location, sendings: readonly Sending[]): Promise<void> {
  const { transitS } = await readTransferPolicy(tx);
  const { by } = readyWhenBrought(shop, sendings, tx.now, transitS, network.channelById.get(order.channelId)?.pickupReadyS ?? 7_200);
  await tx.query('update orders set ship_by = $2, deliver_by = $2 where id = $1 and deliver_by is null', [order.id, by]);
}
