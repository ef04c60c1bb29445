/** What a customer may be asked. `wait` is a new date, `split` sends what is there now. */
export const ANSWERS = ['wait', 'split', 'substitute', 'cancel'] as const;
export type Answer = (typeof ANSWERS)[number];

/**
 * The rungs of a channel, as data; a rung that is absent is passed over. Money in minor units, times in minutes.
 * `atRiskMinutes`: how long before its hand-over an order that is not packed counts as missing it. `latenessPerDay`, `maxExtraCost`: what a day less may cost.
 * `otherwise`: what counts as answered when nobody answers. `compensate`: percent of what the customer paid for the units that come late. `newsMinutes`: how long after the
 * promised date a carrier may still tell of a delivery in time (absent: a day); until then what has left, and is silent, is not late.
 */
export type Ladder = {
  atRiskMinutes: number;
  newsMinutes?: number;
  reSource?: { latenessPerDay: number; waitMinutes: number };
  upgrade?: { maxExtraCost: number; waitMinutes: number };
  ask?: { options: Answer[]; answerMinutes: number; otherwise: 'wait' | 'cancel' };
  compensate?: { kind: 'refund' | 'voucher'; percent: number; atMost: number; lateMinutes: number };
};

export const RUNGS = ['none', 'at_risk', 're_source', 'upgrade', 'ask', 'exhausted'] as const;
export type Rung = (typeof RUNGS)[number];

/** Times ms since epoch. `until`: when the rung's time is over. */
export type PromiseState = { rung: Rung; until: number | null; broken: boolean };
/**
 * How the order stands. `expectedBy` null: nobody knows when. `movable`: something of it is not packed. `options`: what could be asked now. `over`: the order has ended; `deliveredAt`: with all of
 * its goods there, by what the carrier says. `silent`: the promised date has passed and only news of what left in time is missing. `unplaced`: something of it is in no plan yet, so that it is not said to be on time again. `lookAt`: when the expectation may change without news.
 */
export type PromiseView = { promisedBy: number; expectedBy: number | null; movable: boolean; unplaced?: boolean; silent?: boolean; options: readonly Answer[]; deliveredAt: number | null; over: boolean; lookAt: number };

export type Move =
  | { do: 'close' }
  | { do: 'break'; lateMinutes: number; compensate: boolean }
  | { do: 'recover' }
  | { do: 'enter'; rung: Exclude<Rung, 'none'>; until: number | null }
  | { do: 'assume'; answer: 'wait' | 'cancel' }
  | { do: 'rest'; until: number };

const MINUTE = 60_000;
/** Carriers are asked every few hours, and some tell only the next day. */
const NEWS_MINUTES = 1_440;

/** Until when news of a delivery in time may come, ms since epoch. */
export function newsBy(ladder: Ladder, promisedBy: number): number { return promisedBy + (ladder.newsMinutes ?? NEWS_MINUTES) * MINUTE; }

/** Nothing is looked at more often than this without news. */
const LEAST_MS = MINUTE;
const ORDER: readonly Rung[] = ['none', 'at_risk', 're_source', 'upgrade', 'ask', 'exhausted'];

/**
 * The next move of a promise. Pure: the same state, view and moment (ms since epoch) give the same move. Moves are taken one by one until one rests or closes. The ladder is climbed one way:
 * at risk → re-source → faster carrier → ask → exhausted, which is an operator's; an order that is on time again begins anew.
 */
export function nextMove(ladder: Ladder, state: PromiseState, view: PromiseView, now: number): Move {
  const lateAt = (view.silent ? newsBy(ladder, view.promisedBy) : view.promisedBy) + (ladder.compensate?.lateMinutes ?? 0) * MINUTE;
  if (!state.broken) {
    if (view.deliveredAt !== null && view.deliveredAt > view.promisedBy) return broken(ladder, view.deliveredAt, view.promisedBy);
    // Broken from the minute at which a compensation is owed: before that nothing follows from it. Late news is no late delivery.
    if (view.deliveredAt === null && !view.over && now > lateAt) return broken(ladder, now, view.promisedBy);
  }
  if (view.over || view.deliveredAt !== null) return { do: 'close' };
  if (view.expectedBy !== null && view.expectedBy <= view.promisedBy) {
    if (state.rung !== 'none' && !view.unplaced) return { do: 'recover' };
    const next = Math.min(view.lookAt, state.until !== null && state.until > now ? state.until : view.lookAt);
    return rest(state.broken ? next : Math.min(next, lateAt + 1), now);
  }
  if (state.rung === 'ask' && state.until !== null && state.until <= now) return { do: 'assume', answer: ladder.ask?.otherwise ?? 'wait' };
  if (state.until !== null && state.until > now) return rest(state.broken ? state.until : Math.min(state.until, lateAt + 1), now);
  if (state.rung === 'exhausted') return rest(state.broken ? view.lookAt : Math.min(view.lookAt, lateAt + 1), now);
  return climb(ladder, state.rung, view, now);
}

function broken(ladder: Ladder, at: number, promisedBy: number): Move {
  const lateMinutes = Math.floor((at - promisedBy) / MINUTE);
  return { do: 'break', lateMinutes, compensate: ladder.compensate !== undefined && lateMinutes >= ladder.compensate.lateMinutes };
}

function rest(until: number, now: number): Move { return { do: 'rest', until: Math.max(until, now + LEAST_MS) }; }

function climb(ladder: Ladder, from: Rung, view: PromiseView, now: number): Move {
  for (const rung of ORDER.slice(ORDER.indexOf(from) + 1)) {
    if (rung === 'at_risk') return { do: 'enter', rung, until: null };
    if (rung === 're_source' && ladder.reSource && view.movable) return { do: 'enter', rung, until: now + ladder.reSource.waitMinutes * MINUTE };
    if (rung === 'upgrade' && ladder.upgrade && view.movable) return { do: 'enter', rung, until: now + ladder.upgrade.waitMinutes * MINUTE };
    if (rung === 'ask' && ladder.ask && view.options.length > 0) return { do: 'enter', rung, until: now + ladder.ask.answerMinutes * MINUTE };
  }
  return { do: 'enter', rung: 'exhausted', until: null };
}

/** What is owed for late units that the customer paid `net` for: rounded down, at most `atMost`; 0: nothing. */
export function compensation(rule: NonNullable<Ladder['compensate']>, net: number): number {
  return Math.min(rule.atMost, Math.floor((net * rule.percent) / 100));
}
