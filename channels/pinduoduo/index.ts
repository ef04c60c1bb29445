import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type PinduoduoSettings } from './settings.ts';

/** 拼多多. Limits by its documentation are an app's (30,000 order details a minute, 3,000 goods a minute, 600 refund lists); a shop gets a careful part of them. Listings are 3 minutes behind. */
export const pinduoduo: ChannelKind = {
  platform: 'pinduoduo', name: 'Pinduoduo (拼多多)', timeoutMs: 10_000, currencies: 'one', settings, connect,
  capabilities: {
    push: 'stream', signedTime: false, stock: 'blind', countsOwnSales: true, restores: 'unpaid', shipment: 'whole', addressChange: 'told', afterSale: 'decide', cancel: false, platformFulfils: true, sealedAddress: true,
    token: 'single_use_refresh', stockBatch: 20, showsUnpaid: false,
  },
  capable: (given) => ({ restores: (given as PinduoduoSettings).restores }),
  limits: { '*': { perSecond: 20, burst: 20 }, order: { perSecond: 50, burst: 50 }, goods: { perSecond: 20, burst: 20 }, after_sale: { perSecond: 10, burst: 10 } },
  backstop: { windowS: 1_800, lagS: 190, overlapS: 300, everyS: 300 },
  unpaidS: 86_400, // a group has a day to be full
};
