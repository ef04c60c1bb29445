import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type KuaishouSettings } from './settings.ts';

/** 快手小店, the shop platform of Kuaishou. Limits by "API限流说明": `open.item.*` 50 a second for a shop and 100 for all of an app, order listing 300, decryption 100. */
export const kuaishou: ChannelKind = {
  platform: 'kuaishou', name: 'Kuaishou (快手小店)', timeoutMs: 10_000, currencies: 'one', settings, connect,
  capabilities: {
    push: 'encrypted', signedTime: false, stock: 'blind', countsOwnSales: true, restores: 'unpaid', shipment: 'parcels', addressChange: 'told', afterSale: 'decide', cancel: false, platformFulfils: true, sealedAddress: true,
    token: 'single_use_refresh', stockBatch: 20,
  },
  capable: (given) => ({ restores: (given as KuaishouSettings).restores }),
  appLimits: { app: (given) => (given as KuaishouSettings).appKey, limits: { item: { perSecond: 100, burst: 100 } } },
  limits: { '*': { perSecond: 20, burst: 20 }, item: { perSecond: 50, burst: 50 }, order: { perSecond: 100, burst: 100 } },
  backstop: { windowS: 3_600, lagS: 2, overlapS: 300, everyS: 300 },
};
