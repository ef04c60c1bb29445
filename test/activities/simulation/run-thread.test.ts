import { deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { runInThread } from '../../../activities/simulation/run-thread.ts';
import { canonicalJson } from '../../../domain/routing/canonical.ts';
import type { InstancePolicy } from '../../../domain/routing/model.ts';
import type { SimulationInput } from '../../../domain/simulation/model.ts';
import { Simulation } from '../../../domain/simulation/simulate.ts';

const place = { country: 'CN', province: 'P', city: 'A', lat: 0, lon: 0 };
const policy: InstancePolicy = {
  code: 'p', version: 1, kinds: ['warehouse'], maxShipments: 2, lineMaySplit: true, minShipmentValue: 0, dealers: 'equal',
  weights: { shipping: 1000, handling: 1000, splitPenalty: 100, latenessPerDay: 0, loadBalance: 0, opportunity: 0, slowCredit: 0, settlement: 1000 },
};
const week = (units: number): SimulationInput => ({
  locations: [{ code: 'W', kind: 'warehouse', place, calendar: { timeZone: 'UTC', cutoffMinutes: 960, handlingMinutes: 60, workDays: [1, 2, 3, 4, 5, 6, 7] }, handling: { perShipment: 1, perUnit: 1 } }],
  rates: [{ carrier: 'c', zone: 'same_city', firstWeightG: 1000, firstCost: 10, stepG: 1000, stepCost: 5, transitDays: 1 }],
  stock: [{ location: 'W', sku: 'X', units }], arrivals: [],
  orders: Array.from({ length: 300 }, (_, i) => ({ id: `o${i}`, at: Date.UTC(2026, 10, 23) + i * 60_000, order: { channel: 'own', destination: place, promisedBy: null, lines: [{ line: 1, sku: 'X', quantity: 1, value: 100, weightG: 100 }] } })),
});
const packed = (input: SimulationInput): Uint8Array => deflateRawSync(JSON.stringify(input));
const goOn = (): Promise<boolean> => Promise.resolve(true);
const run = (input: Uint8Array, signal = new AbortController().signal) => runInThread({ input, policy }, goOn, signal);
function here(input: SimulationInput): string {
  const simulation = new Simulation(input, policy);
  simulation.run(Number.POSITIVE_INFINITY);
  return canonicalJson(simulation.result());
}

test('a thread that is kept gives to the next simulation what a new one gives; several at once do not mix', async () => {
  const inputs = [week(100), week(200), week(7)];
  for (let round = 0; round < 2; round++) {
    const results = await Promise.all(inputs.map((input) => run(packed(input))));
    expect(results.map((r) => [r?.simulated, canonicalJson(r?.result)])).toEqual(inputs.map((input) => [300, here(input)]));
  }
});

test('one that is stopped, or that fails, harms none that comes after it', async () => {
  const stopped = new AbortController();
  stopped.abort();
  expect(await run(packed(week(9)), stopped.signal)).toBeNull();
  await expect(run(Buffer.from('no record'))).rejects.toThrow(/invalid|unexpected/i);
  const later = new AbortController();
  const running = run(packed(week(9)), later.signal);
  later.abort();
  expect(await running).toBeNull();
  expect(canonicalJson((await run(packed(week(9))))?.result)).toBe(here(week(9)));
});
