import type { CarrierKind } from '../carrier.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** Cainiao (菜鸟) LINK: numbers of many carriers with print data for its component, and tracking. */
export const cainiao: CarrierKind = {
  kind: 'cainiao', name: 'Cainiao 菜鸟 (LINK)', timeoutMs: 10_000, settings, connect, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 20, burst: 40 } },
  capabilities: { waybills: 'platform', push: 'signed', signedTime: false, subscribes: true, polls: false, label: 'print_data', cancel: true, intercept: false, sealedAddress: true, cashOnDelivery: false, balance: true, token: 'none' },
};
