import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** 抖店, the shop platform of Douyin. Limits are not published: they are settings (`limits`). */
export const douyin: ChannelKind = {
  platform: 'douyin', name: 'Douyin (抖店)', timeoutMs: 12_000, currencies: 'one', settings, connect,
  capabilities: {
    push: 'signed', signedTime: false, stock: 'keyed', countsOwnSales: true, restores: 'unpaid', shipment: 'parcels', addressChange: 'asked', afterSale: 'decide', cancel: false, platformFulfils: true, sealedAddress: true,
    token: 'single_use_refresh', stockBatch: 20,
  },
  limits: { '*': { perSecond: 20, burst: 20 }, stock: { perSecond: 40, burst: 40 } },
  backstop: { windowS: 3_600, lagS: 2, overlapS: 300, everyS: 300 },
};
