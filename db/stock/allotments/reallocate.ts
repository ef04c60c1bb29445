import { planTargets, type Cell, type Target } from '../../../domain/stock/targets.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import { moveUnits, type Move } from '../move-units.ts';
import { claimReference, storeAnswer } from '../receipts.ts';
import { lockOpen, nearestOpen, type AllotmentRow } from './allotment.ts';
import { repayByMove } from './borrowings.ts';
import { Holders, showNewLevels } from './holders.ts';

/** Units a SKU, all locations together; `moved` net into the allotment. */
export type Reallocated = { sku: string; wanted: number; moved: number; short: number };
export type ReallocationAnswer = { reference: string; skus: Reallocated[] };

/** SKUs a transaction: levels are locked for as long as one takes. */
const SKUS = 500;
type Part = { last: number | null; skus: Reallocated[]; moved: number[] };

/**
 * Moves free units between an allotment and its nearest open parent so that its targets are met as far as possible; what is reserved and the parent's
 * buffers stay. One reference is one reallocation: SKUs are worked off in parts, each with its stored answer, so a repetition goes on where it was cut off.
 * Nothing moves for SKUs and locations without a target. `source` keeps references of different senders apart.
 */
export async function reallocateAllotment(writer: StockWriter, code: string, reference: string, source = 'allotment-reallocation'): Promise<ReallocationAnswer> {
  const skus: Reallocated[] = [];
  for (let part = 0, after: number | null = 0; after !== null; part++) {
    const from: number = after;
    const done: Part = await writer.change((tx) => reallocatePart(tx, code, `${source}:${code}`, `${reference}#${part}`, from));
    await showNewLevels(writer, done.moved);
    skus.push(...done.skus);
    after = done.last;
  }
  return { reference, skus };
}

async function reallocatePart(tx: Tx, code: string, source: string, reference: string, after: number): Promise<Part> {
  const known = await claimReference<Part>(tx, source, reference, { after });
  if (known) return known;
  const own = await lockOpen(tx, code);
  const parentId = await nearestOpen(tx, own.parentId);
  const skus = await nextSkus(tx, own, parentId, after);
  const part: Part = { last: skus.length === SKUS ? skus.at(-1)?.id ?? null : null, ...(await reallocateSkus(tx, own, parentId, skus)) };
  await storeAnswer(tx, source, reference, part);
  return part;
}

/** SKUs that a target names, and with a target for every SKU those of which the allotment or its parent has units. */
function nextSkus(tx: Tx, own: AllotmentRow, parentId: number, after: number): Promise<{ id: number; code: string }[]> {
  return tx.query(
    `select s.id, s.code from (
       (select sku_id from allotment_targets where allotment_id = $1 and sku_id > $3 group by sku_id order by sku_id limit $4)
       union (select sku_id from stock_levels where allotment_id in ($1, $2) and sku_id > $3 and supply_id = 0 and condition = 'sellable' and on_hand > 0
         and exists (select from allotment_targets t where t.allotment_id = $1 and t.sku_id is null) group by sku_id order by sku_id limit $4)) t(id)
     join skus s using (id) order by s.id limit $4`, [own.id, parentId, after, SKUS]);
}

async function reallocateSkus(tx: Tx, own: AllotmentRow, parentId: number, skus: readonly { id: number; code: string }[]): Promise<Omit<Part, 'last'>> {
  const ids = skus.map((s) => s.id);
  const targets = await tx.query<Target>(
    'select sku_id "skuId", location_id "locationId", mode, value from allotment_targets where allotment_id = $1 and (sku_id is null or sku_id = any($2::int[]))', [own.id, ids]);
  await lockBorrowed(tx, own.id, ids);
  const holders = await Holders.lock(tx, [own.id, parentId], ids);
  const others = await sharesOfOthers(tx, own.id, parentId, ids);
  const moves: Move[] = [];
  const back = new Map<number, number>();
  const answer: Reallocated[] = [];
  for (const { id, code } of skus) {
    const plan = planTargets(targets, id, cellsOf(holders, own.id, parentId, id, others.get(id) ?? new Map<number, number>()));
    if (!plan) continue;
    answer.push({ sku: code, wanted: plan.wanted, moved: plan.moved, short: plan.short });
    if (plan.moved < 0) back.set(id, -plan.moved);
    for (const { locationId, units } of plan.moves) {
      const taken = units > 0 ? holders.take(parentId, own.id, id, locationId, units) : holders.take(own.id, parentId, id, locationId, -units);
      if (!taken) throw new Error(`the plan moves ${units} units of SKU ${id} that location ${locationId} has not`);
      moves.push(...taken);
    }
  }
  await repayByMove(tx, own.id, back);
  await moveUnits(tx, 'reallocate', moves);
  return { skus: answer, moved: [...new Set(moves.map((m) => m.to.skuId))] };
}

/** Locked before levels, as everywhere. */
async function lockBorrowed(tx: Tx, allotmentId: number, skuIds: readonly number[]): Promise<void> {
  await tx.query('select from allotment_borrowings where allotment_id = $1 and sku_id = any($2::int[]) order by sku_id for no key update', [allotmentId, skuIds]);
}

function cellsOf(holders: Holders, ownId: number, parentId: number, skuId: number, others: ReadonlyMap<number, number>): Cell[] {
  const own = holders.freeBy(ownId, skuId);
  const parent = holders.freeBy(parentId, skuId);
  const places = [...new Set([...own.keys(), ...parent.keys(), ...others.keys()])].sort((a, b) => a - b);
  return places.map((locationId) => ({ locationId, own: own.get(locationId) ?? 0, parent: parent.get(locationId) ?? 0, others: others.get(locationId) ?? 0 }));
}

/** Free units, by SKU and location, of the parent's other open allotments that have a share in percent: read once the parent's levels are locked, so that who was faster is seen. */
async function sharesOfOthers(tx: Tx, ownId: number, parentId: number, skuIds: readonly number[]): Promise<Map<number, Map<number, number>>> {
  const rows = await tx.query<{ skuId: number; locationId: number; free: number }>(
    `select v.sku_id "skuId", v.location_id "locationId", sum(v.on_hand - v.reserved)::int free from allotments a join stock_levels v on v.allotment_id = a.id join lots on lots.id = v.lot_id
     where a.parent_id = $2 and a.id not in ($1, 0) and a.closed_at is null and v.sku_id = any($3::int[]) and v.condition = 'sellable' and v.supply_id = 0
       and lots.recalled_at is null and (lots.expires_on is null or lots.expires_on >= $4::date)
       and exists (select from allotment_targets t where t.allotment_id = a.id and t.mode = 'percent' and coalesce(t.sku_id, v.sku_id) = v.sku_id and coalesce(t.location_id, v.location_id) = v.location_id)
     group by 1, 2`, [ownId, parentId, skuIds, tx.now.toISOString().slice(0, 10)]);
  const others = new Map<number, Map<number, number>>();
  for (const { skuId, locationId, free } of rows) others.set(skuId, (others.get(skuId) ?? new Map<number, number>()).set(locationId, free));
  return others;
}
