import {
  allHandlersFinished, condition, continueAsNew, defineSignal, patched, proxyActivities, proxyLocalActivities, setCurrentDetails, setHandler, setWorkflowOptions, upsertSearchAttributes, workflowInfo,
} from '@temporalio/workflow';
import { nextStep, type OrderFacts, type Step } from '../domain/order/flow.ts';
import type { Activities } from '../activities/index.ts';
import { versioned } from './versioning.ts';
import { LOOK, type OrderInput } from './contract/messages.ts';
import { HoldReasonKey, LocationKey, OrderStatusKey, PromiseByKey } from './contract/search-attributes.ts';

const database = proxyLocalActivities<Pick<Activities, 'validate' | 'reserve' | 'route' | 'track' | 'promise'>>({
  startToCloseTimeout: '20 seconds', retry: { initialInterval: '100 ms', maximumInterval: '30 seconds' },
});
// Outside calls: each is one call under one key. Their last failure is an outcome that the activity records itself.
const outside = proxyActivities<Pick<Activities, 'ship' | 'recall' | 'remind' | 'intercept' | 'return'>>({
  startToCloseTimeout: '45 seconds', retry: { initialInterval: '500 ms', maximumInterval: '30 seconds' },
});

/** How long a deadline that PostgreSQL's writer does not see yet is waited for. */
const CLOCKS_MS = 1_000;

/**
 * An order from intake to the end of its return window. It holds no facts: every activity returns what PostgreSQL says, and the
 * state machine in domain/order decides the next step. The signal only says "look".
 */
export async function order(input: OrderInput): Promise<void> {
  const { orderId } = input;
  let looks = 0;
  let seen = 0;
  setHandler(defineSignal(LOOK), () => { looks += 1; });
  const shown: Shown = { status: '', hold: '', locations: '', promise: '' };

  const perform = async (step: Exclude<Step, { do: 'finish' | 'wait' }>): Promise<OrderFacts> => {
    switch (step.do) {
      case 'validate': return database.validate({ orderId });
      case 'reserve': return database.reserve({ orderId });
      case 'route': return database.route({ orderId });
      case 'track': return database.track({ orderId });
      case 'promise': return database.promise({ orderId });
      case 'return': return outside.return({ orderId });
      case 'ship': {
        const done = await Promise.all([
          ...step.recall.map((fulfillmentOrderId) => outside.recall({ orderId, fulfillmentOrderId })),
          ...(step.remind ?? []).map((fulfillmentOrderId) => outside.remind({ orderId, fulfillmentOrderId })),
          ...step.intercept.map((parcelId) => outside.intercept({ orderId, parcelId })),
          ...step.release.map((fulfillmentOrderId) => outside.ship({ orderId, fulfillmentOrderId })),
        ]);
        // One call: its answer is the newest. Several: they ended in any order, so the facts are read once more.
        return done.length === 1 ? (done[0] as OrderFacts) : database.track({ orderId });
      }
    }
  };

  let facts = await database.validate({ orderId });
  let tracked: string | null = null;
  let promiseSeen: string | undefined;
  for (;;) {
    const step = nextStep(known(facts), new Date().toISOString());
    if (step.do === 'finish') break;
    if (step.do !== 'wait') {
      if (step.do === 'track') {
        // Due by this clock, not yet by the one that decides: their difference passes, and is not spent asking.
        if (facts.nextDeadline === tracked) await condition(() => looks > seen, CLOCKS_MS);
        tracked = facts.nextDeadline;
        seen = looks;
      }
      if (step.do === 'promise') {
        if (facts.promiseAt === promiseSeen) await condition(() => looks > seen, CLOCKS_MS);
        promiseSeen = facts.promiseAt;
        seen = looks;
      }
      facts = await perform(step);
      continue;
    }
    show(shown, facts, step.for);
    if (looks === seen) {
      if (workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        if (looks === seen) await continueAsNew<typeof order>(input);
      }
      if (step.until === null) await condition(() => looks > seen);
      else await condition(() => looks > seen, Math.max(1, Date.parse(step.until) - Date.now()));
    }
    seen = looks;
    facts = await database.track({ orderId });
  }
  show(shown, facts, 'nothing more');
}

/** Facts as this history knows them: what an older worker did not know of, its history goes on without. */
function known(facts: OrderFacts): OrderFacts {
  const { toRemind, promiseAt, ...rest } = facts;
  return { ...rest, ...(toRemind !== undefined && patched('remind') ? { toRemind } : {}), ...(promiseAt !== undefined && patched('promise') ? { promiseAt } : {}) };
}

type Shown = { status: string; hold: string; locations: string; promise: string };

/** What an operator reads in the Temporal UI; search attributes are written only where they changed. */
function show(shown: Shown, facts: OrderFacts, waitingFor: string): void {
  const at = facts.locations.length > 0 ? ` at ${facts.locations.join(', ')}` : '';
  setCurrentDetails(`**${facts.status}**${at}. Waits for ${waitingFor}.${facts.promiseBy ? `\n\nPromised by ${facts.promiseBy}.` : ''}`);
  const now: Shown = { status: facts.status, hold: facts.holdReason ?? '', locations: facts.locations.join(','), promise: facts.promiseBy ?? '' };
  const changes = [
    ...(now.status === shown.status ? [] : [{ key: OrderStatusKey, value: now.status }]),
    ...(now.hold === shown.hold ? [] : [{ key: HoldReasonKey, value: facts.holdReason }]),
    ...(now.locations === shown.locations ? [] : [{ key: LocationKey, value: facts.locations.length > 0 ? facts.locations : null }]),
    ...(now.promise === shown.promise ? [] : [{ key: PromiseByKey, value: facts.promiseBy === null ? null : new Date(facts.promiseBy) }]),
  ];
  if (changes.length > 0) upsertSearchAttributes(changes);
  Object.assign(shown, now);
}

// Open for days or for ever: it goes on with the newest version; changes are guarded by `patched`.
setWorkflowOptions(versioned('AUTO_UPGRADE'), order);
