import type { SeenLine, SeenOrder } from '../channel/seen-order.ts';
import type { KeptOrder } from './desk.ts';
import type { DealerProfile } from './profile.ts';

/** A dealer's order as every channel shows its orders. `without`: listings that are refused. After its capture nothing but its number and lines is left. */
export function seenOf(orderNo: string, kept: KeptOrder, profile: DealerProfile, without: ReadonlySet<string>): SeenOrder {
  const { order, sent } = kept;
  const orderedAt = Math.min(order?.orderedAt ?? kept.receivedAt, kept.receivedAt);
  // What is wanted by a day has left by then at the latest.
  const latest = [order?.shipBy, order?.deliverBy].flatMap((at) => at ?? []);
  const from = order?.notBefore;
  const line = (l: { lineNo: string; sku: string; merchantCode: string | null; title: string; quantity: number; unitPrice: number }): SeenLine => ({
    lineId: l.lineNo, itemId: null, platformSku: l.sku, merchantCode: l.merchantCode, title: l.title, quantity: l.quantity, cancelled: 0, unitPrice: l.unitPrice, discounts: [], gift: false,
  });
  return {
    externalId: orderNo, version: kept.cancelled ? 2 : 1, status: kept.cancelled ? 'cancelled' : 'to_ship', fulfilledBy: 'us', currency: order?.currency ?? profile.currency, orderedAt, paidAt: orderedAt,
    shipBy: latest.length === 0 ? null : Math.min(...latest), ...(from === undefined ? {} : { scheduled: { from, to: order?.deliverBy ?? null } }), cashOnDelivery: false, buyer: { id: null, name: order?.buyerName ?? null }, address: order?.shipTo ?? null, wantedAddress: null,
    lines: order ? order.lines.filter((l) => !without.has(l.sku)).map((l) => line({ ...l, unitPrice: l.unitPrice ?? 0 })) : sent.lines.map((l) => line({ lineNo: l.lineNo, sku: '', merchantCode: null, title: '', quantity: l.quantity, unitPrice: 0 })),
    discounts: [], freight: 0, buyerRemark: order?.remark ?? null, sellerRemark: null, session: null, afterSales: [], parcels: [], type: profile.orderType, onAccount: profile.payment === 'on_account',
  };
}
