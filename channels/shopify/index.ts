import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** Shopify. Points of the cost bucket are watched in the answers; the limit here only keeps bursts down. */
export const shopify: ChannelKind = {
  platform: 'shopify', name: 'Shopify', timeoutMs: 10_000, currencies: 'named', settings, connect,
  capabilities: {
    push: 'signed', signedTime: false, stock: 'compare', countsOwnSales: true, restores: 'cancelled', shipment: 'parcels', addressChange: 'told', afterSale: 'told', cancel: true, platformFulfils: false, sealedAddress: false,
    token: 'static', stockBatch: 50, tellsGone: true,
  },
  limits: { '*': { perSecond: 10, burst: 40 } },
  backstop: { windowS: 86_400, lagS: 2, overlapS: 120, everyS: 300 },
};
