import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type WechatSettings } from './settings.ts';

/** 视频号小店, the shops of WeChat Channels. Limits are per minute and not published: they are settings (`limits`). */
export const wechat: ChannelKind = {
  platform: 'wechat', name: 'WeChat Channels (视频号小店)', timeoutMs: 10_000, currencies: 'one', settings, connect,
  capabilities: {
    push: 'encrypted', signedTime: true, stock: 'blind', countsOwnSales: true, restores: 'unpaid', shipment: 'parcels', addressChange: 'told', afterSale: 'decide', cancel: false, platformFulfils: false, sealedAddress: true,
    token: 'refresh', stockBatch: 10,
  },
  capable: (given) => ({ sealedAddress: (given as unknown as WechatSettings).encodeSensitive }),
  limits: { '*': { perSecond: 15, burst: 15 }, order: { perSecond: 30, burst: 30 }, stock: { perSecond: 20, burst: 20 } },
  backstop: { windowS: 3_600, lagS: 2, overlapS: 300, everyS: 300 },
};
