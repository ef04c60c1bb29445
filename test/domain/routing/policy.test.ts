import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Problem } from '../../../domain/problem.ts';
import { canonicalJson } from '../../../domain/routing/canonical.ts';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import { validatePolicy } from '../../../domain/routing/policy.ts';

const POLICY: InstancePolicy = {
  code: 'peak', version: 1, kinds: ['warehouse', 'store'], maxShipments: 2, lineMaySplit: false, minShipmentValue: 0, dealers: 'after_own',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 300, latenessPerDay: 100, loadBalance: 50, opportunity: 500, slowCredit: 1000, settlement: 1000 },
};
const weights = (changes: object) => ({ weights: { ...POLICY.weights, ...changes } });

function told(changes: object): [string, string | null] | null {
  try {
    validatePolicy({ ...POLICY, ...changes }, '/policy');
    return null;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [error.code, error.field];
  }
}

test.each([
  ['as it is', {}], ['every bound from below', { version: 1, maxShipments: 1, minShipmentValue: 0, kinds: ['dealer'], dealers: 'equal', ...weights({ shipping: 0, handling: 0, splitPenalty: 0, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 0 }) }],
  ['every bound from above', {
    version: 2_147_483_647, maxShipments: 12, minShipmentValue: 1_000_000_000, kinds: ['warehouse', 'third_party', 'store', 'vendor', 'dealer'],
    ...weights({ shipping: 1_000_000, handling: 1_000_000, splitPenalty: 1_000_000_000, latenessPerDay: 1_000_000_000, loadBalance: 1_000_000_000, opportunity: 1_000_000, slowCredit: 1_000_000, settlement: 1_000_000 }),
  }],
  ['who may serve whom', { eligibility: [{ mode: 'only', channels: ['douyin'], ways: ['ship'], locations: ['W-1'] }, { mode: 'never', kinds: ['store'], ways: ['ship_to_store'] }] }],
])('may rule: %s', (_what, changes) => { expect(told(changes)).toBeNull(); });

test.each([
  ['no kind', { kinds: [] }, '/policy/kinds'], ['a kind that does not exist', { kinds: ['store', 'ship'] }, '/policy/kinds/1'], ['a kind of every object', { kinds: ['toString'] }, '/policy/kinds/0'],
  ['a kind twice', { kinds: ['store', 'dealer', 'store'] }, '/policy/kinds/2'], ['no shipment', { maxShipments: 0 }, '/policy/maxShipments'], ['13 shipments', { maxShipments: 13 }, '/policy/maxShipments'],
  ['half a shipment', { maxShipments: 1.5 }, '/policy/maxShipments'], ['shipments that are no number', { maxShipments: Number.NaN }, '/policy/maxShipments'], ['version 0', { version: 0 }, '/policy/version'],
  ['a version that the table cannot hold', { version: 2_147_483_648 }, '/policy/version'], ['a negative value', { minShipmentValue: -1 }, '/policy/minShipmentValue'], ['dealers first', { dealers: 'first' }, '/policy/dealers'],
  ['a rule that names nobody', { eligibility: [{ mode: 'never' }] }, '/policy/eligibility/0/locations'], ['a mode that does not exist', { eligibility: [{ mode: 'may', locations: ['A'] }] }, '/policy/eligibility/0/mode'],
  ['a kind in a rule that does not exist', { eligibility: [{ mode: 'never', kinds: ['ship'] }] }, '/policy/eligibility/0/kinds/0'], ['a way that does not exist', { eligibility: [{ mode: 'never', locations: ['A'], ways: ['mail'] }] }, '/policy/eligibility/0/ways/0'],
  ['a rule for no channel', { eligibility: [{ mode: 'never', locations: ['A'], channels: [] }] }, '/policy/eligibility/0/channels'], ['every kind barred', { eligibility: [{ mode: 'never', kinds: ['store', 'warehouse'] }] }, '/policy/eligibility/0/kinds'],
  ['no kind allowed', { eligibility: [{ mode: 'only', kinds: ['dealer'] }] }, '/policy/eligibility/0/kinds'],
  ['a weight that does not exist', weights({ distance: 1 }), '/policy/weights/distance'], ['a weight left out', weights({ settlement: undefined }), '/policy/weights/settlement'],
  ...Object.keys(POLICY.weights).flatMap((name): [string, object, string][] => [
    [`${name} negative`, weights({ [name]: -1 }), `/policy/weights/${name}`], [`${name} not whole`, weights({ [name]: 0.5 }), `/policy/weights/${name}`],
    [`${name} beyond any use`, weights({ [name]: 1_000_000_001 }), `/policy/weights/${name}`],
  ]),
])('may not rule: %s', (_what, changes, field) => { expect(told(changes)).toEqual(['unprocessable', field]); });

test('the pointer begins where the policy is', () => {
  expect(() => { validatePolicy({ ...POLICY, kinds: [] }); }).toThrow(expect.objectContaining({ field: '/kinds' }) as Error);
});

test('the canonical JSON of a policy, letter by letter, and its hash', () => {
  const text = '{"code":"peak","dealers":"after_own","kinds":["warehouse","store"],"lineMaySplit":false,"maxShipments":2,"minShipmentValue":0,"version":1,"weights":{"handling":1000,"latenessPerDay":100,"loadBalance":50,"opportunity":500,"settlement":1000,"shipping":1000,"slowCredit":1000,"splitPenalty":300}}';
  expect(canonicalJson(POLICY)).toBe(text);
  expect(canonicalJson({ ...POLICY, comment: undefined })).toBe(text);
  expect(createHash('sha256').update(text).digest('hex')).toBe('b018c6f0e3bcd0684b09e13ebfa3a6e00a01ae43e0eb15c7e8b77eb4145e98a5');
});

/** Every object with its keys the other way round. */
const reversed = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(reversed) : typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversed(v)])) : value;

test('canonical JSON means the same value, whatever the order of the keys', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
    expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  }));
});
