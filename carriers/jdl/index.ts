import type { CarrierKind } from '../carrier.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** JD Logistics (京东物流). It is asked about parcels; a push of its own was not found in public material. */
export const jdl: CarrierKind = {
  kind: 'jdl', name: 'JD Logistics 京东物流', timeoutMs: 10_000, settings, connect, limits: { '*': { perSecond: 10, burst: 20 } },
  capabilities: { waybills: 'own', push: 'none', signedTime: false, subscribes: false, polls: true, label: 'drawn', cancel: true, intercept: false, sealedAddress: false, cashOnDelivery: true, balance: false, token: 'static' },
};
