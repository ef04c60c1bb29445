import { Problem } from '../../../domain/problem.ts';
import type { Network } from '../../network.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { moveUnits, type Move } from '../move-units.ts';
import { claimReference, storeAnswer } from '../receipts.ts';
import { lockOpen, nearestOpen, skuIds } from './allotment.ts';
import { repayByMove } from './borrowings.ts';
import { Holders, showNewLevels } from './holders.ts';

/** `units`: positive from the parent into the allotment, negative back. */
export type MoveLine = { sku: string; location: string; units: number };
export type MoveOrder = { reference: string; lines: MoveLine[] };
export type MoveAnswer = { reference: string; into: number; back: number };

/**
 * Moves free units between an allotment and its nearest open parent, all lines or none. One reference is one move. Units that are reserved, kept by a
 * buffer, expired or recalled do not move. Throws Problem `insufficient_stock` with the line for which there is not enough.
 */
export async function moveByHand(writer: StockWriter, network: Network, code: string, order: MoveOrder): Promise<MoveAnswer> {
  const skus = await skuIds(writer.pool, order.lines.map((l) => l.sku));
  const answer = await writer.change(async (tx) => {
    const source = `allotment-move:${code}`;
    const known = await claimReference<MoveAnswer>(tx, source, order.reference, order);
    if (known) return known;
    const own = await lockOpen(tx, code);
    const parentId = await nearestOpen(tx, own.parentId);
    const lines = order.lines.map((line, i) => resolve(network, skus, line, i));
    const back = new Map<number, number>();
    for (const { skuId, units } of lines) if (units < 0) back.set(skuId, (back.get(skuId) ?? 0) - units);
    await repayByMove(tx, own.id, back);
    const holders = await Holders.lock(tx, [own.id, parentId], [...new Set(lines.map((l) => l.skuId))]);
    const moves: Move[] = [];
    for (const [i, { skuId, locationId, units }] of lines.entries()) {
      const [from, to] = units > 0 ? [parentId, own.id] : [own.id, parentId];
      const taken = holders.take(from, to, skuId, locationId, Math.abs(units));
      if (!taken) {
        const line = order.lines[i] as MoveLine;
        const free = holders.freeBy(from, skuId).get(locationId) ?? 0;
        const whose = from === 0 ? 'the shared stock' : `allotment "${from === own.id ? code : network.allotments.get(from)?.code ?? ''}"`;
        throw new Problem('insufficient_stock', `${whose} has ${free} free units of "${line.sku}" at "${line.location}", ${Math.abs(units)} were to be moved; nothing was moved`, `/lines/${i}/units`, { free });
      }
      moves.push(...taken);
    }
    await moveUnits(tx, 'allot', moves);
    const answer = { reference: order.reference, into: sum(lines, 1), back: sum(lines, -1) };
    await storeAnswer(tx, source, order.reference, answer);
    return answer;
  });
  await showNewLevels(writer, [...skus.values()]);
  return answer;
}

const sum = (lines: readonly { units: number }[], sign: 1 | -1): number => lines.reduce((total, l) => total + Math.max(0, sign * l.units), 0);

function resolve(network: Network, skus: ReadonlyMap<string, number>, line: MoveLine, i: number): { skuId: number; locationId: number; units: number } {
  const skuId = skus.get(line.sku);
  if (skuId === undefined) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known`, `/lines/${i}/sku`);
  const location = network.locations.get(line.location);
  if (!location) throw new Problem('unknown_location', `location "${line.location}" is not known`, `/lines/${i}/location`);
  if (line.units === 0) throw new Problem('invalid', 'units must be positive (into the allotment) or negative (back), not 0', `/lines/${i}/units`);
  return { skuId, locationId: location.id, units: line.units };
}
