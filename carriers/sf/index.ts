import type { CarrierKind } from '../carrier.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** SF Express (顺丰) by 丰桥. */
export const sf: CarrierKind = {
  kind: 'sf', name: 'SF Express 顺丰 (丰桥)', timeoutMs: 10_000, settings, connect, needsPhoneTail: true,
  // No published limit was found: A1005 tells when it was too fast.
  limits: { '*': { perSecond: 20, burst: 40 } },
  capabilities: { waybills: 'own', push: 'secret_path', signedTime: false, subscribes: false, polls: true, label: 'pdf', cancel: true, intercept: true, sealedAddress: false, cashOnDelivery: true, balance: false, token: 'none' },
  capable: (s) => ({ ...(s['label'] === 'drawn' ? { label: 'drawn' } : {}), ...(s['auth'] === 'token' ? { token: 'refresh' } : {}) }),
};
