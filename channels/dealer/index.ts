import { profileOf } from '../../domain/dealer/profile.ts';
import { seenOf } from '../../domain/dealer/seen.ts';
import type { ChannelConnector, ChannelKind } from '../channel.ts';
import { settings } from './settings.ts';

const NONE: ReadonlySet<string> = new Set();

/**
 * Dealers that order by files. There is nobody to call: orders lie on the desk, answers are written there. So none of the HTTP contract holds, and it stands beside the list that the contract runs over
 * (docs/adr/0014-dealer-files.md).
 */
export const dealer: ChannelKind = {
  platform: 'dealer',
  name: 'Dealer files (CSV, Excel, X12, EDIFACT)',
  currencies: 'named',
  capabilities: {
    push: 'none', signedTime: false, stock: 'none', countsOwnSales: false, restores: 'never', shipment: 'parcels', addressChange: 'none', afterSale: 'none', cancel: true, platformFulfils: false, sealedAddress: false, token: 'none',
    stockBatch: 1,
  },
  settings,
  limits: {},
  backstop: { windowS: 366 * 86_400, lagS: 0, overlapS: 0, everyS: 86_400 },
  timeoutMs: 1000,
  lateCancel: 'refuse',
  connect(shop, { desk }): ChannelConnector {
    if (!desk) throw new Error('dealer files need a desk');
    const profile = profileOf(shop.currency, shop.settings, shop.secrets);
    return {
      receive: () => ({ kind: 'rejected', reason: 'unknown_app', reply: { status: 404, contentType: 'text/plain; charset=utf-8', body: 'dealers send files: POST /v1/dealer-files' } }),
      async fetchOrder(externalId) {
        const kept = await desk.read(externalId);
        if (!kept || (kept.refused && !kept.cancelled)) return null;
        const { order } = kept;
        const refuses = order !== null && !kept.cancelled && profile.unknownSku === 'reject';
        const unmapped = refuses ? await desk.unmapped(order.lines.map((l) => ({ platformSku: l.sku, itemId: null, merchantCode: l.merchantCode, title: l.title }))) : NONE;
        const seen = seenOf(externalId, kept, profile, unmapped);
        if (seen.lines.length > 0) return seen;
        await desk.refuse(externalId, 'none of its items is sold here');
        return null;
      },
      changedOrders: () => Promise.resolve({ orders: [], next: null }),
      async orderTaken(externalId, state) { if (state !== 'held') await desk.answer(externalId); },
      cancelOrder: (externalId) => desk.ended(externalId),
      reportParcels: (externalId, parcels) => desk.despatch(externalId, parcels.map((p) => ({ key: p.key, shipment: p.shipment ?? p.key, carrier: p.carrier, waybillNo: p.waybillNo, shippedAt: p.shippedAt, lines: p.lines }))),
    };
  },
};
