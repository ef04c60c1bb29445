import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type GenericSettings } from './settings.ts';

/** Any shop system with a JSON API, by configuration: docs/channels.md. */
export const generic: ChannelKind = {
  platform: 'generic', name: 'Generic (by configuration)', timeoutMs: 10_000, currencies: 'named', settings, connect,
  capabilities: {
    push: 'signed', signedTime: true, stock: 'set', countsOwnSales: true, restores: 'cancelled', shipment: 'parcels', addressChange: 'asked', afterSale: 'decide', cancel: true, platformFulfils: true, sealedAddress: false, token: 'static', stockBatch: 4,
  },
  capable: (s) => {
    const { stock, readStock, push } = s as unknown as GenericSettings;
    return { ...(push === undefined ? { push: 'none' } : {}), stock: stock === undefined ? 'none' : stock.kind ?? 'set', countsOwnSales: readStock !== undefined };
  },
  limits: { '*': { perSecond: 20, burst: 40 } },
  backstop: { windowS: 86_400, lagS: 0, overlapS: 120, everyS: 300 },
};
