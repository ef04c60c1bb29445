import type { ApplyDeps, IntakeRules } from '../../db/channels/apply-order.ts';
import { PartnerRefused, PartnerThrottled, PartnerUnavailable } from '../../domain/http-port.ts';
import type { StockProjection } from '../../db/projection.ts';
import type { ActivityDeps } from '../deps.ts';
import type { ShopSession } from './session.ts';

/** One look at a shop: everything its lanes share. */
export type SyncContext = ShopSession & {
  deps: ActivityDeps; apply: ApplyDeps; projection: StockProjection; rules: IntakeRules;
  /** one after the other: reading orders and polling them is never done twice at once */
  alone: <T>(run: () => Promise<T>) => Promise<T>;
  /** one after the other, where figures are set over what was read: setting them, and our cancellations, with which the platform puts units back into them */
  setting: <T>(run: () => Promise<T>) => Promise<T>;
  /** the look is over: finish what is begun, begin nothing */
  over: () => boolean;
  /** something was done */
  did: () => void;
  /** an error of the outside that ends no lane: it is noted, and there is another look when it may be over. False: it is one of ours, to be thrown */
  failed: (error: unknown) => boolean;
  /** listings that were lowered in this look although nobody knew their figure (stock.ts) */
  lowered: Set<number>;
};

export function rulesOf({ kind, shop }: ShopSession): IntakeRules {
  const { settings } = shop;
  const location = settings['platformLocation'];
  return { automaticMapping: settings['mapByMerchantCode'] === true, platformLocation: typeof location === 'string' ? location : null, restores: kind.capabilities.restores, ...(kind.lateCancel === undefined ? {} : { lateCancel: kind.lateCancel }) };
}

/** A platform that refuses the account is asked again after so long, or when the account is put anew. */
const ACCOUNT_PAUSE_MS = 300_000;

/** An error of the outside, as a line to keep. `refused`: trying again will not help, this or anything while the account is as it is. Null for one of ours, which is thrown. */
export function outsideFault(error: unknown): { text: string; retryAfterMs?: number; refused: 'this' | 'account' | null } | null {
  if (error instanceof PartnerThrottled) return { text: error.message, retryAfterMs: error.retryAfterMs, refused: null };
  if (error instanceof PartnerUnavailable) return { text: error.message, refused: null };
  if (error instanceof PartnerRefused) return error.account ? { text: error.message, retryAfterMs: ACCOUNT_PAUSE_MS, refused: 'account' } : { text: error.message, refused: 'this' };
  return null;
}

/** Runs over items with so many at once, in their order. */
export async function inParallel<T>(items: readonly T[], atOnce: number, run: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    while (next < items.length) {
      const item = items[next++] as T;
      await run(item).catch((error: unknown) => { errors.push(error); });
    }
  }));
  if (errors.length > 0) throw errors[0];
}

/** Runs what it is given one after the other, in the order of asking. */
export function oneAtATime(): SyncContext['alone'] {
  let turn: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = turn.then(run, run);
    turn = mine.catch(() => undefined);
    return mine;
  };
}
