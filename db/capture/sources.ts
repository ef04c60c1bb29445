import type { ChainLink } from '../../domain/stock/overflow.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import type { StockPool } from '../stock-pool.ts';
import type { PreparedLine, PreparedOrder } from './prepare.ts';

/** Units an order may take: `lastsUntil` (ISO date) is the least expiry of a lot, `horizon` (ms since epoch) when units that are still to come may arrive, null for units that are there. `shared`: of the shared stock, which locations may keep to themselves. */
export type Source = { pool: StockPool; shared: boolean; borrow: ChainLink['borrow']; lastsUntil: string | null; horizon: { from: number; to: number } | null };

/** False for units that come too late for a source, or should have come by now: nobody knows when they do. */
export function comesInTime({ horizon }: Source, expectedAt: number | null): boolean {
  return horizon === null || (expectedAt !== null && expectedAt > horizon.from && expectedAt <= horizon.to);
}

/** What the choice of levels depends on: of an order, or of somebody who wants units reserved like one. */
export type Demand = Pick<PreparedOrder, 'destination' | 'allotmentId' | 'channel' | 'capturedAt' | 'scheduledFrom'> & Partial<Pick<PreparedOrder, 'pickup'>> & {
  lines: readonly Pick<PreparedLine, 'lineNo' | 'skuId' | 'skuCode' | 'quantity'>[];
};

const DAY = 86_400_000;
let day = { from: 0, days: -1, iso: '' };

/** The first day that a lot must live to see, for a channel; the same all day long, so it is worked out once. */
function lastsUntil(now: Date, minLifeDays: number): string {
  const from = Math.floor(now.getTime() / DAY);
  if (day.from !== from || day.days !== minLifeDays) day = { from, days: minLifeDays, iso: new Date((from + minLifeDays) * DAY).toISOString().slice(0, 10) };
  return day.iso;
}

/** The stages in which an order looks for units: its own allotment; with each parent that overflow allows; with what is coming. Never empty. */
export function sourcesOf(order: Demand, network: Network, projection: StockProjection): Source[][] {
  const chain = network.chain(order.allotmentId);
  const until = lastsUntil(order.capturedAt, order.channel.minLifeDays);
  const horizon = order.channel.supplyHorizonS > 0 ? order.capturedAt.getTime() + order.channel.supplyHorizonS * 1000 : null;
  const stages: Source[][] = [];
  let so: Source[] = [];
  for (const { allotmentId, borrow } of chain) {
    const pool = projection.there(allotmentId);
    if (!pool) continue;
    so = [...so, { pool, shared: allotmentId === 0, borrow, lastsUntil: until, horizon: null }];
    stages.push(so);
  }
  if (horizon !== null) {
    const coming = chain.flatMap(({ allotmentId, borrow }): Source[] => {
      const pool = projection.coming(allotmentId);
      return pool ? [{ pool, shared: allotmentId === 0, borrow, lastsUntil: until, horizon: { from: order.capturedAt.getTime(), to: horizon } }] : [];
    });
    if (coming.length > 0) stages.push([...so, ...coming]);
  }
  return stages.length > 0 ? stages : [[]];
}
