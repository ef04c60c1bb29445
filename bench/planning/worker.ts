import { parentPort, workerData } from 'node:worker_threads';
import { cleanHistory } from '../../domain/replenishment/clean.ts';
import { demandOver } from '../../domain/replenishment/cover.ts';
import { planReplenishment } from '../../domain/replenishment/plan.ts';
import type { Site } from '../../domain/replenishment/plan-model.ts';
import { orderUpTo } from '../../domain/replenishment/stock-level.ts';
import { LEAD, lanes, locationCode, REVIEW, skuOf } from './world.ts';

export type Share = { from: number; to: number };
export type Done = { sites: number; madeMs: number; transfers: number; purchases: number; unmet: number; units: number; spent: number };

const CHUNK = 500;
const { from, to } = workerData as Share;
const done: Done = { sites: 0, madeMs: 0, transfers: 0, purchases: 0, unmet: 0, units: 0, spent: 0 };
for (let chunk = from; chunk < to; chunk += CHUNK) {
  // Reading the histories stands for the database: its time is kept apart.
  const began = performance.now();
  const skus = Array.from({ length: Math.min(CHUNK, to - chunk) }, (_, i) => skuOf(chunk + i));
  done.madeMs += performance.now() - began;
  const sites = skus.flatMap(({ sku, value, sites: histories }) => histories.map((h, i): Site => {
    const cleaned = cleanHistory(h.periods);
    const overAll = demandOver(cleaned, LEAD + REVIEW);
    const level = orderUpTo(demandOver(cleaned, LEAD), overAll, { kind: 'fill', share: 0.95 });
    return { sku, location: locationCode(i), free: h.free, position: h.free + h.underWay, level, law: overAll, value };
  }));
  const plan = planReplenishment(sites, lanes, skus.map((s) => s.terms), { nearDays: 1, budget: null, mostOverLevel: 4 });
  done.sites += sites.length;
  done.transfers += plan.transfers.length;
  done.purchases += plan.purchases.length;
  done.unmet += plan.unmet.length;
  done.units += plan.transfers.reduce((sum, t) => sum + t.units, 0) + plan.purchases.reduce((sum, p) => sum + p.units, 0);
  done.spent += plan.spent;
}
parentPort?.postMessage(done);
