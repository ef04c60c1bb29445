import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** WooCommerce (REST API v3). It sets stock over what is there and knows no parcels: a parcel is a note to the customer, the last one completes the order. */
export const woocommerce: ChannelKind = {
  platform: 'woocommerce', name: 'WooCommerce', timeoutMs: 15_000, currencies: 'named', settings, connect,
  capabilities: {
    push: 'signed', signedTime: false, stock: 'set', countsOwnSales: true, restores: 'cancelled', shipment: 'whole', addressChange: 'told', afterSale: 'told', cancel: true, platformFulfils: false, sealedAddress: false,
    token: 'static', stockBatch: 100, tellsGone: true,
  },
  // Shops run on hosts of every size; what one can bear is a setting of the shop (`limits`).
  limits: { '*': { perSecond: 5, burst: 20 } },
  backstop: { windowS: 86_400, lagS: 2, overlapS: 120, everyS: 300 },
};
