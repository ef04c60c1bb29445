import type { CarrierKind } from '../carrier.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** A carrier that speaks docs/partner-protocol.md. */
export const generic: CarrierKind = {
  kind: 'generic', name: 'Generic (our own protocol)', timeoutMs: 10_000, settings, connect, limits: { '*': { perSecond: 200, burst: 400 } },
  capabilities: { waybills: 'own', push: 'signed', signedTime: true, subscribes: false, polls: true, label: 'drawn', cancel: true, intercept: true, sealedAddress: true, cashOnDelivery: true, balance: false, token: 'none' },
};
