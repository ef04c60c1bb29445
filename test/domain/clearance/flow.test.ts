import { expect, test } from 'vitest';
import { endStatus, nextCampaignStep, refusal, share, type CampaignFacts } from '../../../domain/clearance/flow.ts';

const at = (day: number, hour = 0): string => new Date(Date.UTC(2026, 10, 1) + (day * 24 + hour) * 3_600_000).toISOString();
const facts = (changes: Partial<CampaignFacts> = {}): CampaignFacts => ({
  status: 'running', startsAt: at(0), endsAt: at(14), lookEveryS: 3600, stock: 100, sold: 10, target: 800, spent: 0, budget: 1000,
  stage: { no: 1, endsAt: at(4), target: null, budget: null, spent: 0, least: 0, unsent: false, nextStepAt: null }, next: { no: 2, startsAt: null, endsAt: at(7) }, lastEnd: null, reported: false, ...changes,
});
const stage = (changes: Partial<NonNullable<CampaignFacts['stage']>>): Partial<CampaignFacts> => ({ stage: { ...facts().stage!, ...changes } });
const next = (changes: Partial<CampaignFacts>, now = at(1)) => nextCampaignStep(facts(changes), now);

test('a draft waits for its approval and lapses at its end; an approved one begins to the second', () => {
  expect(next({ status: 'draft' })).toEqual({ do: 'wait', until: at(14) });
  expect(next({ status: 'draft' }, at(14))).toEqual({ do: 'end', reason: 'lapsed' });
  expect(next({ status: 'approved', startsAt: at(2) })).toEqual({ do: 'wait', until: at(2) });
  expect(next({ status: 'approved', startsAt: at(2) }, at(2))).toEqual({ do: 'start' });
});

test('it ends on target before anything else, then on time, then on budget', () => {
  expect(next({ sold: 80, spent: 2000 }, at(15))).toEqual({ do: 'end', reason: 'target' });
  expect(next({ sold: 79, spent: 2000 }, at(14))).toEqual({ do: 'end', reason: 'time' });
  expect(next({ sold: 79, spent: 1000 })).toEqual({ do: 'end', reason: 'budget' });
});

test('a stage ends on time, on its target, on its budget', () => {
  expect(next({}, at(4))).toEqual({ do: 'close_stage', no: 1, reason: 'time' });
  expect(next({ ...stage({ target: 100 }) })).toEqual({ do: 'close_stage', no: 1, reason: 'target' });
  expect(next({ ...stage({ target: 101 }) })).toMatchObject({ do: 'wait' });
  expect(next({ ...stage({ budget: 5, spent: 5 }) })).toEqual({ do: 'close_stage', no: 1, reason: 'budget' });
  // What is left of its budget, or of the campaign's, is less than it takes off a unit: nobody gets it any more.
  expect(next({ ...stage({ budget: 500, spent: 301, least: 200 }) })).toEqual({ do: 'close_stage', no: 1, reason: 'budget' });
  expect(next({ ...stage({ budget: 500, spent: 300, least: 200 }) })).toMatchObject({ do: 'wait' });
  expect(next({ ...stage({ least: 200 }), spent: 801 })).toEqual({ do: 'close_stage', no: 1, reason: 'budget' });
});

test('the next stage opens at once or at its own time, is missed when that is over, and without one the campaign ends', () => {
  expect(next({ stage: null })).toEqual({ do: 'open_stage', no: 2 });
  expect(next({ stage: null, next: { no: 2, startsAt: at(1, 0.5), endsAt: at(7) } })).toMatchObject({ do: 'wait' });
  expect(next({ stage: null, next: { no: 2, startsAt: at(2), endsAt: at(7) } }, at(2))).toEqual({ do: 'open_stage', no: 2 });
  expect(next({ stage: null }, at(7))).toEqual({ do: 'miss_stage', no: 2 });
  expect(next({ stage: null, next: null, lastEnd: 'time' })).toEqual({ do: 'end', reason: 'stages' });
  expect(next({ stage: null, next: null, lastEnd: 'budget' })).toEqual({ do: 'end', reason: 'budget' });
});

test('coupons go out before markdowns are thought about; it waits for the nearest of look, step, stage and campaign', () => {
  expect(next({ ...stage({ unsent: true, nextStepAt: at(0) }) })).toEqual({ do: 'issue_coupons', no: 1 });
  expect(next({ ...stage({ nextStepAt: at(1) }) })).toEqual({ do: 'propose', no: 1 });
  expect(next({ ...stage({ nextStepAt: at(1, 0.5) }) })).toEqual({ do: 'wait', until: at(1, 0.5) });
  expect(next({})).toEqual({ do: 'wait', until: at(1, 1) });
  expect(next({}, at(3, 23.5))).toEqual({ do: 'wait', until: at(4) });
});

test('a paused one sleeps until its end; what is over is reported once', () => {
  expect(next({ status: 'paused', spent: 5000 })).toEqual({ do: 'wait', until: at(14) });
  expect(next({ status: 'paused' }, at(14))).toEqual({ do: 'end', reason: 'time' });
  expect(next({ status: 'paused', sold: 80 }, at(14))).toEqual({ do: 'end', reason: 'target' });
  expect(next({ status: 'escalated' })).toEqual({ do: 'report' });
  expect(next({ status: 'ended', reported: true })).toEqual({ do: 'finish' });
});

test('shares round down; a missed target escalates, a stop does not', () => {
  expect([share(799, 1000), share(7999, 10_000), share(0, 0)]).toEqual([799, 799, 1000]);
  expect([endStatus('time', facts()), endStatus('budget', facts()), endStatus('stages', facts())]).toEqual(['escalated', 'escalated', 'escalated']);
  expect([endStatus('stopped', facts()), endStatus('lapsed', facts()), endStatus('time', facts({ sold: 80 }))]).toEqual(['ended', 'ended', 'ended']);
});

test('commands that a status does not take say why', () => {
  expect(refusal('pause', 'approved')).toBe('the campaign has not begun: it cannot be paused');
  expect(refusal('resume', 'draft')).toBe('the campaign is not approved yet: it cannot be resumed');
  expect(refusal('extend', 'escalated')).toBe('the campaign is over: it cannot be extended');
  expect([refusal('stop', 'ended'), refusal('pause', 'paused'), refusal('adjust', 'draft')]).toEqual([null, null, null]);
});
