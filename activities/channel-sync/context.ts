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
  /** the look is over: finish what is begun, begin nothing */
  over: () => boolean;
  /** something was done */
  did: () => void;
};

export function rulesOf({ kind, shop }: ShopSession): IntakeRules {
  const { settings } = shop;
  const location = settings['platformLocation'];
  return { automaticMapping: settings['mapByMerchantCode'] === true, platformLocation: typeof location === 'string' ? location : null, restores: kind.capabilities.restores, ...(kind.lateCancel === undefined ? {} : { lateCancel: kind.lateCancel }) };
}

/** An error of the outside, as a line to keep; null for one of ours, which is thrown. */
export function outsideFault(error: unknown): { text: string; throttled: boolean; refused: boolean } | null {
  if (error instanceof PartnerThrottled) return { text: error.message, throttled: true, refused: false };
  if (error instanceof PartnerUnavailable) return { text: error.message, throttled: false, refused: false };
  if (error instanceof PartnerRefused) return { text: error.message, throttled: false, refused: true };
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
