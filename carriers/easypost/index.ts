import type { CarrierKind } from '../carrier.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** EasyPost: labels and tracking of many carriers. */
export const easypost: CarrierKind = {
  kind: 'easypost', name: 'EasyPost', timeoutMs: 60_000, settings, connect, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 5, burst: 10 } },
  capabilities: { waybills: 'own', push: 'signed', signedTime: false, subscribes: true, polls: true, label: 'pdf', cancel: true, intercept: false, sealedAddress: false, cashOnDelivery: false, balance: false, token: 'static' },
  capable: (s) => (s['issues'] === false ? { waybills: 'none', label: 'none', cancel: false } : {}),
};
