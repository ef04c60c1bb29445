import { expect, it } from 'vitest';
import { settle, type Account, type Readings } from '../../../domain/channel/grant.ts';

const DAY = 86_400_000;
const account = (over: Partial<Account> = {}): Account => ({ granted: 40, sold: 10, opened: true, maybe: [], short: null, ...over });
const readings = (first: number, second: number, over: Partial<Readings> = {}): Readings => ({ first, second, open: 0, before: 10 + (over.open ?? 0), last: false, hidden: null, now: 1_000, ...over });

it.each<[string, Account, Readings, ReturnType<typeof settle>]>([
  ['two equal readings that say what was thought', account(), readings(30, 30), { granted: 40, drift: 0, short: null }],
  ['a figure that somebody has changed there', account(), readings(27, 27), { granted: 37, drift: -3, short: null }],
  ['units of orders that are held are granted and sold', account(), readings(25, 25, { open: 5 }), { granted: 40, drift: 0, short: null }],
  ['sales between the readings, none of them known yet', account(), readings(30, 26), { granted: 40, drift: 0, short: null }],
  ['sales between the readings, all of them captured since', account({ sold: 14 }), readings(30, 26, { before: 14 }), { granted: 40, drift: 0, short: null }],
  ['a sale after the second reading, captured before it counted', account({ sold: 14 }), readings(30, 30), { granted: 40, drift: 0, short: null }],
  ['units put back between the readings', account(), readings(30, 33), { granted: 40, drift: 0, short: null }],
  ['bounds without the account are read again', account(), readings(25, 22), null],
  ['and at last the greater one counts: it cannot be sold twice', account(), readings(25, 22, { last: true }), { granted: 35, drift: -5, short: null }],
  ['a new listing', account({ opened: false, granted: 0, sold: 2 }), readings(8, 8, { open: 1, before: 3 }), { granted: 11, drift: 0, short: null }],
  ['a new listing that sells is read again', account({ opened: false, granted: 0, sold: 0 }), readings(8, 7, { before: 0 }), null],
  ['a change that arrived', account({ maybe: [-5] }), readings(25, 25), { granted: 35, drift: 0, short: null }],
  ['a change that did not arrive', account({ maybe: [-5] }), readings(30, 30), { granted: 40, drift: 0, short: null }],
  ['a decrease that may have arrived counts as not', account({ maybe: [-5] }), readings(30, 24), { granted: 40, drift: 0, short: null }],
  ['an increase that may have arrived counts as arrived', account({ maybe: [5] }), readings(36, 30), { granted: 45, drift: 0, short: null }],
  ['hidden orders: what is missing may be theirs', account(), readings(24, 24, { hidden: DAY }), { granted: 40, drift: 0, short: { units: 6, since: 1_000, taken: 10 } }],
  ['hidden orders: the fewest that were missing', account({ short: { units: 4, since: 500, taken: 10 } }), readings(24, 24, { hidden: DAY }), { granted: 40, drift: 0, short: { units: 4, since: 500, taken: 10 } }],
  ['hidden orders: none can be that old', account({ short: { units: 4, since: 1_000 - DAY, taken: 10 } }), readings(24, 24, { hidden: DAY }), { granted: 36, drift: -4, short: null }],
  ['hidden orders: all is there again', account({ short: { units: 4, since: 500, taken: 10 } }), readings(30, 30, { hidden: DAY }), { granted: 40, drift: 0, short: null }],
  ['hidden orders: too many are taken off at once', account({ short: { units: 4, since: 500, taken: 10 } }), readings(33, 33, { hidden: DAY }), { granted: 43, drift: 3, short: null }],
  ['hidden orders: what was missing has come, and as much is missing again', account({ sold: 14, short: { units: 4, since: 1_000 - DAY, taken: 10 } }), readings(22, 22, { hidden: DAY, before: 14 }), { granted: 40, drift: 0, short: { units: 4, since: 1_000, taken: 14 } }],
  ['hidden orders: it begins anew as soon as nothing is left', account({ sold: 15, short: { units: 4, since: 500, taken: 10 } }), readings(24, 24, { hidden: DAY, before: 15 }), { granted: 40, drift: 0, short: { units: 1, since: 1_000, taken: 15 } }],
  ['hidden orders: more is missing than has come, held or captured', account({ sold: 11, short: { units: 6, since: 1_000 - DAY, taken: 10 } }), readings(22, 22, { hidden: DAY, open: 1, before: 12 }), { granted: 36, drift: -4, short: null }],
  ['hidden orders: fewer sold than before, for some were put back', account({ sold: 8, short: { units: 4, since: 1_000 - DAY, taken: 10 } }), readings(28, 28, { hidden: DAY, before: 8 }), { granted: 36, drift: -4, short: null }],
  ['of several changes whose answers were lost any may have arrived', account({ maybe: [-5, -10] }), readings(15, 15), { granted: 25, drift: 0, short: null }],
  ['hidden orders: an increase that may have arrived', account({ maybe: [5] }), readings(28, 28, { hidden: DAY }), { granted: 45, drift: 0, short: { units: 7, since: 1_000, taken: 10 } }],
])('%s', (_name, of, by, is) => { expect(settle(of, by)).toEqual(is); });
