import { dayAt, promise, type PromiseInput } from './promise.ts';

/** When a shop has a pickup ready: `readyMs` from now where that is within its working day, else with the next working day's goods. */
export function readyAt(shop: PromiseInput['location'], now: Date, readyMs: number): Date {
  const { shipBy } = promise({ orderedAt: now, scheduledFrom: null, location: shop, transitDays: 0 });
  const soon = new Date(now.getTime() + readyMs);
  const today = dayAt(shop.timeZone, shipBy.getTime() - shop.handlingMinutes * 60_000) === dayAt(shop.timeZone, now.getTime());
  return today && soon < shipBy ? soon : shipBy;
}
