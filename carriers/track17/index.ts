import type { CarrierKind } from '../carrier.ts';
import { textMap } from '../read.ts';
import { connect } from './connector.ts';

/** 17TRACK: follows parcels of any carrier. */
export const track17: CarrierKind = {
  kind: '17track', name: '17TRACK', timeoutMs: 10_000, connect, covers: (s) => Object.keys(textMap(s['carriers'])), limits: { '*': { perSecond: 3, burst: 1 } },
  settings: {
    required: ['apiKey', 'carriers'],
    properties: {
      apiKey: { type: 'string', description: 'API key (17token); it signs the webhooks, too', minLength: 1, maxLength: 200, secret: true },
      carriers: { type: 'object', description: 'whose parcels it follows: {our carrier: its number, e.g. "100012"}; "0": let it find out', minProperties: 1, additionalProperties: { type: 'string', pattern: '^\\d{1,9}$' } },
      baseUrl: { type: 'string', description: 'where it is reached', pattern: '^https?://', maxLength: 500, default: 'https://api.17track.net' },
      stages: { type: 'object', description: 'what a stage or status means where the default is wrong: {word: milestone or "note"}', additionalProperties: { type: 'string' }, default: {} },
      timeoutMs: { type: 'integer', description: 'patience, ms', minimum: 100, maximum: 60_000 },
    },
  },
  capabilities: { waybills: 'none', push: 'signed', signedTime: false, subscribes: true, polls: true, label: 'none', cancel: false, intercept: false, sealedAddress: false, cashOnDelivery: false, balance: false, token: 'static' },
};
