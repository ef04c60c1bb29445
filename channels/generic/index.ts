import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type GenericSettings } from './settings.ts';

/** Any shop system with a JSON API, by configuration: docs/channels.md. */
export const generic: ChannelKind = {
  platform: 'generic', name: 'Generic (by configuration)', timeoutMs: 10_000, currencies: 'named', settings, connect,
  // All that it can be; what a shop of it can do follows from what is configured.
  capabilities: {
    push: 'signed', signedTime: true, stock: 'set', countsOwnSales: true, restores: 'cancelled', shipment: 'parcels', addressChange: 'asked', afterSale: 'decide', cancel: true, platformFulfils: true, sealedAddress: false, token: 'static', stockBatch: 4,
  },
  capable: (s) => {
    const { stock, readStock, push, order, shipment, addressAnswer, afterSales, afterSaleAnswer, cancel } = s as unknown as GenericSettings;
    return {
      ...(push === undefined ? { push: 'none' } : {}), stock: stock === undefined ? 'none' : stock.kind ?? 'set', countsOwnSales: readStock !== undefined, shipment: shipment === undefined ? 'none' : 'parcels',
      // Another address in the order itself is always seen.
      addressChange: addressAnswer === undefined ? 'told' : 'asked', afterSale: afterSales === undefined ? 'none' : afterSaleAnswer === undefined ? 'told' : 'decide', cancel: cancel !== undefined,
      platformFulfils: order['fulfilledBy'] !== undefined,
    };
  },
  limits: { '*': { perSecond: 20, burst: 40 } },
  backstop: { windowS: 86_400, lagS: 2, overlapS: 120, everyS: 300 },
};
