import type { ChannelKind } from '../channel.ts';
import { connect } from './connector.ts';
import { settings, type JdSettings } from './settings.ts';

/** JD for its merchants (POP), by JOS. It pushes nothing that is documented: it is asked every minute. Orders show when they are paid; what unpaid ones hold stands in its figures. */
export const jd: ChannelKind = {
  platform: 'jd', name: 'JD (京东)', timeoutMs: 10_000, currencies: 'one', settings, connect,
  capabilities: {
    push: 'none', signedTime: false, stock: 'blind', countsOwnSales: true, restores: 'cancelled', shipment: 'parcels', addressChange: 'told', afterSale: 'decide', cancel: false, platformFulfils: true, sealedAddress: true,
    token: 'single_use_refresh', stockBatch: 20, showsUnpaid: false,
  },
  capable: (given) => { const s = given as JdSettings; return { restores: s.restores, shipment: s.parcels === 'whole' ? 'whole' : 'parcels' }; },
  limits: { '*': { perSecond: 10, burst: 10 }, order: { perSecond: 20, burst: 20 }, stock: { perSecond: 20, burst: 20 } },
  backstop: { windowS: 1_800, lagS: 5, overlapS: 300, everyS: 60 },
};
