import type { RoutingInstance } from '../../domain/routing/model.ts';
import type { Network } from '../network.ts';
import type { Order } from '../orders/order.ts';
import { refreshStatus } from '../orders/order.ts';
import type { Tx } from '../tx.ts';
import { fullToday } from './capacity.ts';
import type { Reader, Units } from './reader.ts';

/** Clocks differ: an order is looked at again when the stop is over by every one of them, and is not decided twice for it. */
const CLOCKS_MS = 1_000;

type Stop = { reason: string; until: Date | null };
/** What keeps locations from taking part now: pauses by location, blocks by `location|sku` (ids). */
export type RoutingStops = { pauses: ReadonlyMap<number, Stop & { until: Date }>; blocks: ReadonlyMap<string, Stop> };

/** Read in the transaction that decides, so that a location which has just closed is given nothing more. */
export async function readStops(tx: Reader, locationIds: readonly number[], skuIds: readonly number[]): Promise<RoutingStops> {
  const pauses = await tx.query<{ id: number; reason: string; until: Date }>('select location_id id, reason, until from location_pauses where location_id = any($1::int[]) and until > $2', [locationIds, tx.now]);
  const blocks = await tx.query<{ at: number; sku: number; reason: string; until: Date | null }>(
    'select location_id at, sku_id sku, reason, until from location_sku_blocks where location_id = any($1::int[]) and sku_id = any($2::int[]) and (until is null or until > $3)', [locationIds, skuIds, tx.now]);
  return { pauses: new Map(pauses.map((p) => [p.id, p])), blocks: new Map(blocks.map((b) => [`${b.at}|${b.sku}`, b])) };
}

/** A stop as the plan tells it. */
export function stopWords({ reason, until }: Stop): string { return until === null ? reason : `${reason}, until ${until.toISOString()}`; }

type Wait = { kind: 'location' | 'carrier'; at: string; reason: string; until: Date };

/**
 * An order that nobody can serve only because locations with its stock are paused or have blocked it for a time, or because a location's or carrier's day is full, waits for the first of these to end, instead of for a person.
 * True where it does. `instance`: as it was asked now.
 */
export async function waitForStops(tx: Tx, network: Network, order: Order, stock: readonly Units[], instance: RoutingInstance): Promise<boolean> {
  const waits: Wait[] = await endsOfStops(tx, network, stock);
  const full = await fullToday(tx, network, order, instance);
  if (full) waits.push(full);
  const [first] = waits.sort((a, b) => a.until.getTime() - b.until.getTime());
  if (!first) return false;
  const again = new Date(first.until.getTime() + CLOCKS_MS);
  await tx.query('update orders set route_after = $2, routing_waits = $3 where id = $1', [order.id, again, `${first.at}: ${first.reason}`]);
  await tx.event(order.id, 'order.routing_postponed', 'system', { [first.kind]: first.at, until: first.until.toISOString(), reason: first.reason });
  await refreshStatus(tx, order, 'system');
  return true;
}

async function endsOfStops(tx: Tx, network: Network, stock: readonly Units[]): Promise<Wait[]> {
  const { pauses, blocks } = await readStops(tx, [...new Set(stock.map((s) => s.locationId))], [...new Set(stock.map((s) => s.skuId))]);
  return stock.filter((s) => s.units > 0).flatMap((s) => {
    const pause = pauses.get(s.locationId);
    const block = blocks.get(`${s.locationId}|${s.skuId}`);
    // Both must be over before it can be asked again; one that has no end is not waited for.
    if ((!pause && !block) || block?.until === null) return [];
    const last = block?.until && (!pause || block.until > pause.until) ? block : pause;
    return last?.until ? [{ id: s.locationId, until: last.until, reason: last.reason }] : [];
  }).sort((a, b) => a.id - b.id).map(({ id, ...wait }) => ({ kind: 'location', at: network.locationById.get(id)?.code ?? '', ...wait }));
}
