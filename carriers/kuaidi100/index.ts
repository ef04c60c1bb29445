import type { CarrierKind } from '../carrier.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';
import { settings } from './settings.ts';

/** 快递100: follows parcels of any carrier. */
export const kuaidi100: CarrierKind = {
  kind: 'kuaidi100', name: '快递100', timeoutMs: 10_000, settings, connect, needsPhoneTail: true, covers: (s) => Object.keys(textMap(s['carriers'])),
  limits: { subscribe: { perSecond: 20, burst: 20 }, query: { perSecond: 1, burst: 1 } },
  capabilities: { waybills: 'none', push: 'signed', signedTime: false, subscribes: true, polls: true, label: 'none', cancel: false, intercept: false, sealedAddress: false, cashOnDelivery: false, balance: false, token: 'none' },
};
