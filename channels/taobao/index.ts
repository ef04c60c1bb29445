import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type TaobaoSettings } from './settings.ts';

/** Taobao and Tmall, by the open platform (TOP). Messages wait in a queue (TMC) and are confirmed when they are kept; what an app may call a second is said to nobody else: it is a setting (`limits`). */
export const taobao: ChannelKind = {
  platform: 'taobao', name: 'Taobao / Tmall (淘宝/天猫)', timeoutMs: 10_000, queueEveryS: 10, currencies: 'one', settings, connect,
  capabilities: {
    push: 'queue', signedTime: false, stock: 'blind', countsOwnSales: true, restores: 'unpaid', shipment: 'parcels', addressChange: 'told', afterSale: 'decide', cancel: false, platformFulfils: true, sealedAddress: true,
    token: 'single_use_refresh', stockBatch: 20,
  },
  capable: (given) => ({ restores: (given as TaobaoSettings).restores }),
  limits: { '*': { perSecond: 20, burst: 20 }, order: { perSecond: 40, burst: 40 }, queue: { perSecond: 10, burst: 10 } },
  // Windows of half an hour are answered best, a day at most.
  backstop: { windowS: 1_800, lagS: 5, overlapS: 300, everyS: 300 },
};
