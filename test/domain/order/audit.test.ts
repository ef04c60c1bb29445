import { describe, expect, test } from 'vitest';
import { evaluateAudit, validateAuditRule, type AuditFacts, type AuditRule } from '../../../domain/order/audit.ts';

const facts = (changes: Partial<AuditFacts> = {}): AuditFacts => ({
  channelCode: 'own', total: 10_000, currency: 'CNY', cost: 6_000, goodsNet: 10_000,
  destination: { country: 'CN', province: 'Shanghai', city: 'Shanghai', district: null, hasStreet: true, hasPhone: true, hasName: true, known: true },
  buyerRemark: null, sellerRemark: null, recentByBuyer: [], recentByAddress: [], blockedMatches: [], ...changes,
});
let ids = 0;
const rule = (kind: AuditRule['kind'], params: object, changes: Partial<AuditRule> = {}): AuditRule =>
  ({ id: ++ids, name: `${kind} rule`, kind, params, action: 'hold', priority: 100, channelCode: null, active: true, ...changes }) as AuditRule;
const reasons = (rules: AuditRule[], f: AuditFacts) => evaluateAudit(rules, f).hits.map((h) => h.reason);

describe('each kind', () => {
  test.each<[string, AuditRule, Partial<AuditFacts>, string | null]>([
    ['amount inside', rule('amount', { min: 10_000, max: 10_000 }), {}, 'the total 10000 lies within 10000 and 10000'],
    ['amount below', rule('amount', { min: 10_001 }), {}, null], ['amount above', rule('amount', { max: 9_999 }), {}, null],
    ['incomplete address', rule('address', { incomplete: true }), { destination: { ...facts().destination, hasPhone: false, hasStreet: false } }, 'the address lacks phone, street'],
    ['an address nobody knows', rule('address', { unknown: true }), { destination: { ...facts().destination, province: '火星省', known: false } }, 'province 火星省 is not known in CN: change the address, or release the hold'],
    ['a known address', rule('address', { unknown: true }), {}, null],
    ['complete address', rule('address', { incomplete: true }), {}, null], ['remote province', rule('address', { remoteProvinces: ['Xizang', 'Shanghai'] }), {}, 'Shanghai is remote'],
    ['any remark', rule('remark', {}), { sellerRemark: 'x' }, 'the order has a remark'], ['blank remark', rule('remark', {}), { buyerRemark: '  ' }, null],
    ['only the buyer is asked', rule('remark', { buyer: true }), { sellerRemark: 'x' }, null],
    ['a word, whatever its case', rule('remark', { words: ['cod', 'GIFT'] }), { buyerRemark: 'a gift please' }, 'a remark holds "GIFT"'],
    ['same buyer lately', rule('duplicate', { withinMinutes: 30, by: 'buyer' }), { recentByBuyer: [{ orderId: 'ord_a', minutesAgo: 30 }, { orderId: 'ord_b', minutesAgo: 31 }] }, 'like ord_a of the last 30 minutes'],
    ['both in one order', rule('duplicate', { withinMinutes: 30, by: 'both' }), { recentByBuyer: [{ orderId: 'ord_a', minutesAgo: 1 }], recentByAddress: [{ orderId: 'ord_a', minutesAgo: 1 }] }, 'like ord_a of the last 30 minutes'],
    ['both, but in two orders', rule('duplicate', { withinMinutes: 30, by: 'both' }), { recentByBuyer: [{ orderId: 'ord_a', minutesAgo: 1 }], recentByAddress: [{ orderId: 'ord_b', minutesAgo: 1 }] }, null],
    ['blocked', rule('blocked', {}), { blockedMatches: ['buyer', 'address'] }, 'blocked: buyer, address'], ['not blocked', rule('blocked', {}), {}, null],
    ['below the floor', rule('floor', {}), { belowFloor: ['A', 'B'] }, 'sold below the floor price: A, B'], ['at the floor', rule('floor', {}), { belowFloor: [] }, null],
    ['margin below', rule('margin', { minPercent: 41 }), {}, 'the margin is 40.0 %, below 41 %'], ['margin met', rule('margin', { minPercent: 40 }), {}, null],
    ['cost not known', rule('margin', { minPercent: 99 }), { cost: null }, null], ['given away', rule('margin', { minPercent: 0 }), { goodsNet: 0, cost: 0 }, 'the margin is -100.0 %, below 0 %'],
  ])('%s', (_, r, f, reason) => { expect(reasons([r], facts(f))).toEqual(reason === null ? [] : [reason]); });
});

describe('the run', () => {
  test('by priority, then id; reject beats hold', () => {
    const [late, first, second] = [rule('amount', { min: 0 }, { priority: 300, name: 'late' }), rule('amount', { min: 0 }, { name: 'first', action: 'reject' }), rule('amount', { min: 0 }, { name: 'second' })];
    expect(evaluateAudit([late, second, first], facts())).toMatchObject({ outcome: 'reject', hits: [{ name: 'first' }, { name: 'second' }, { name: 'late' }] });
  });

  test('a passing rule ends it: what came before stands', () => {
    const pass = rule('amount', { max: 20_000 }, { priority: 2, action: 'pass' });
    expect(evaluateAudit([rule('amount', { min: 0 }, { priority: 3 }), pass], facts()).outcome).toBe('pass');
    expect(evaluateAudit([rule('amount', { min: 0 }, { priority: 1 }), pass], facts()).outcome).toBe('hold');
  });

  test('rules of other channels, and those that are off, are not asked', () => {
    expect(evaluateAudit([rule('amount', { min: 0 }, { channelCode: 'douyin' }), rule('amount', { min: 0 }, { active: false })], facts())).toEqual({ outcome: 'pass', hits: [] });
    expect(evaluateAudit([rule('amount', { min: 0 }, { channelCode: 'own' })], facts()).outcome).toBe('hold');
  });
});

test.each<[string, string, unknown, string[]]>([
  ['amount', 'hold', { min: 1 }, []], ['amount', 'hold', {}, ['/params needs min or max']], ['amount', 'hold', { min: 2, max: 1 }, ['/params/min exceeds max']],
  ['amount', 'later', { min: -1 }, ['/action must be pass, hold or reject', '/params/min is wrong']], ['colour', 'hold', {}, ['/kind must be one of amount, address, remark, duplicate, blocked, margin, floor']],
  ['address', 'hold', { remoteProvinces: [] }, ['/params/remoteProvinces is wrong']], ['address', 'hold', {}, ['/params needs incomplete, unknown, unlisted or remoteProvinces']],
  ['duplicate', 'hold', { withinMinutes: 10 }, ['/params/by is missing']], ['duplicate', 'hold', { withinMinutes: 0, by: 'buyer' }, ['/params/withinMinutes is wrong']],
  ['blocked', 'reject', { who: 'x' }, ['/params/who is not known for blocked']], ['margin', 'hold', {}, ['/params/minPercent is missing']], ['margin', 'hold', [], ['/params must be an object']],
])('a %s rule that does %s with %j', (kind, action, params, problems) => { expect(validateAuditRule({ kind, action, params })).toEqual(problems); });
