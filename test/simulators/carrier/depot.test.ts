import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Depot } from '../../../simulators/carrier/depot.ts';
import { Pusher } from '../../../simulators/carrier/pusher.ts';
import { WaybillStore } from '../../../simulators/carrier/store.ts';
import { eventAt, eventCount, type Waybill } from '../../../simulators/carrier/waybill.ts';
import { Caller } from '../../../simulators/shared/caller.ts';
import { FaultInjector } from '../../../simulators/shared/faults.ts';
import { Journal } from '../../../simulators/shared/journal.ts';
import { TimerHeap } from '../../../simulators/shared/timer-heap.ts';

const HOUR = 3_600_000;
let depot: Depot;
let heap: TimerHeap;
let caller: Caller;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] });
  heap = new TimerHeap();
  const store = new WaybillStore();
  const faults = new FaultInjector('1', heap);
  faults.replace({ silent: { rate: 1 } }); // no pushes: this is about the parcel's way
  caller = new Caller({ baseUrl: 'http://127.0.0.1:9', heap, speed: 1 });
  const journal = await Journal.open(undefined, () => undefined);
  const pusher = new Pusher({
    seed: '1', carrierCode: 'sim', apiKey: undefined, heap, journal, faults, store, tributary: caller, windowMs: 25,
  });
  const mishaps = { attemptFailed: 1, exception: 0, lost: 0 };
  depot = new Depot({ seed: '1', speed: 1, prefix: 'SIM', mishaps, heap, faults, store, pusher });
});
afterEach(() => {
  heap.close();
  caller.close();
  vi.useRealTimers();
});

function statuses(waybill: Waybill): string[] {
  return Array.from({ length: eventCount(waybill) }, (_, index) => eventAt(waybill, index).status);
}

function travelUntil(waybill: Waybill, status: string): void {
  for (let hours = 0; waybill.status !== status && hours < 500; hours += 0.5) vi.advanceTimersByTime(HOUR / 2);
  expect(waybill.status).toBe(status);
}

function taken(): Waybill {
  const place = { city: 'A', province: 'P' };
  const { waybill } = depot.issue({ requestId: 'r1', service: 'standard', from: place, to: { ...place, city: 'B' }, weightG: 1 });
  depot.pickUp(waybill);
  return waybill;
}

it('a refused interception leaves the plan alone: the parcel goes on in the same run', () => {
  const waybill = taken();
  travelUntil(waybill, 'out_for_delivery');
  expect(depot.intercept(waybill, 'i1')).toEqual({ outcome: 'refused', reason: 'out_for_delivery' });
  travelUntil(waybill, 'delivered');
  expect(statuses(waybill)).toEqual(['picked_up', 'in_transit', 'out_for_delivery', 'attempt_failed', 'out_for_delivery', 'delivered']);
});

it('an accepted one voids the plan: the parcel turns round and nothing happens twice', () => {
  const waybill = taken();
  travelUntil(waybill, 'in_transit');
  expect(depot.intercept(waybill, 'i1')).toEqual({ outcome: 'accepted' });
  travelUntil(waybill, 'returned');
  vi.advanceTimersByTime(500 * HOUR);
  expect(statuses(waybill)).toEqual(['picked_up', 'in_transit', 'returning', 'returned']);
  expect(heap.size).toBe(0);
});

it('after a failed attempt it can still be turned round, though refused before', () => {
  const waybill = taken();
  travelUntil(waybill, 'out_for_delivery');
  depot.intercept(waybill, 'i1');
  travelUntil(waybill, 'attempt_failed');
  expect(depot.intercept(waybill, 'i2')).toEqual({ outcome: 'accepted' });
  travelUntil(waybill, 'returned');
  expect(statuses(waybill).slice(-3)).toEqual(['attempt_failed', 'returning', 'returned']);
});

it('picking up twice starts one way', () => {
  const waybill = taken();
  depot.pickUp(waybill);
  expect(heap.size).toBe(1);
  expect(statuses(waybill)).toEqual(['picked_up']);
});
