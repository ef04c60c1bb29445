/** The facts of an order as an activity reads them: ids and dates only, no personal data. Times are ISO 8601. */
export type OrderFacts = {
  v: 1;
  status: string;
  /** rejected, cancelled, expired or closed, with nothing left to do */
  done: boolean;
  holdReason: string | null;
  validated: boolean;
  awaitingPaymentUntil: string | null;
  /** units are held but not confirmed, or missing units may have come */
  toReserve: boolean;
  /** units are missing: until when they are waited for */
  backorderUntil: string | null;
  /** units without a fulfillment order that have stock */
  toRoute: boolean;
  routeAfter: string | null;
  /** fulfillment orders to be told to their location */
  toRelease: string[];
  /** fulfillment orders whose location must be asked to give them back */
  toRecall: string[];
  /** fulfillment orders whose location has said nothing and is to be reminded; absent: none */
  toRemind?: string[];
  /** parcels that the carrier must be asked to turn round */
  toIntercept: string[];
  /** returns or refunds that can be taken a step further without anybody */
  returnWork: boolean;
  /** the earliest date at which something falls due: acceptance, return window */
  nextDeadline: string | null;
  /** when the promise is to be looked at; absent: not at all */
  promiseAt?: string;
  promiseBy: string | null;
  locations: string[];
};

export type Step =
  | { do: 'finish' }
  | { do: 'validate' }
  | { do: 'reserve' }
  | { do: 'route' }
  | { do: 'ship'; release: string[]; recall: string[]; intercept: string[]; remind?: string[] }
  | { do: 'return' }
  | { do: 'track' }
  | { do: 'promise' }
  | { do: 'wait'; until: string | null; for: string };

/**
 * The next step of an order. Pure: the workflow calls it with its own clock, so a replay takes the same way.
 * Outside calls that take something back come first, so that a refund overtakes a release.
 */
export function nextStep(facts: OrderFacts, now: string): Step {
  if (facts.toRecall.length > 0 || facts.toIntercept.length > 0) {
    return { do: 'ship', release: [], recall: facts.toRecall, intercept: facts.toIntercept };
  }
  if (facts.done) return { do: 'finish' };
  if (facts.returnWork) return { do: 'return' };
  if (facts.holdReason !== null) return { do: 'wait', until: facts.nextDeadline, for: `a hold to be released: ${facts.holdReason}` };
  if (facts.awaitingPaymentUntil !== null) return { do: 'wait', until: null, for: `payment, until ${facts.awaitingPaymentUntil}` };
  if (!facts.validated) return { do: 'validate' };
  if (facts.toRelease.length > 0) return { do: 'ship', release: facts.toRelease, recall: [], intercept: [] };
  if (facts.toRemind && facts.toRemind.length > 0) return { do: 'ship', release: [], recall: [], intercept: [], remind: facts.toRemind };
  if (facts.toReserve || (facts.backorderUntil !== null && facts.backorderUntil <= now)) return { do: 'reserve' };
  if (facts.toRoute && (facts.routeAfter === null || facts.routeAfter <= now)) return { do: 'route' };
  if (facts.nextDeadline !== null && facts.nextDeadline <= now) return { do: 'track' };
  if (facts.promiseAt !== undefined && facts.promiseAt <= now) return { do: 'promise' };
  const wake = [facts.nextDeadline, facts.promiseAt ?? null, facts.toRoute ? facts.routeAfter : null, facts.backorderUntil].filter((d) => d !== null).sort()[0] ?? null;
  return { do: 'wait', until: wake, for: waitingFor(facts) };
}

function waitingFor(facts: OrderFacts): string {
  switch (facts.status) {
    case 'backordered': return `stock, until ${facts.backorderUntil ?? 'it comes'}`;
    case 'confirmed': return `the merge window or the scheduled date, ${facts.routeAfter ?? ''}`;
    case 'in_fulfillment': case 'partially_shipped': return `the location (${facts.locations.join(', ')})`;
    case 'shipped': return 'the carrier';
    case 'delivered': return `the return window, until ${facts.nextDeadline ?? ''}`;
    default: return 'news';
  }
}
