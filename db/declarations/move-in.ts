import { Problem } from '../../domain/problem.ts';
import { contractLine, takeInOrder, type ContractLine, type ContractSource, type LineRequest } from '../../domain/stock/declaration.ts';
import { ensureLevels, lockLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import { lastsUntil } from '../orders/order-pools.ts';
import { moveUnits } from '../stock/move-units.ts';
import type { Tx } from '../tx.ts';
import { checkSupplies, findSources } from './find-sources.ts';
import type { DeclarationPolicy } from './policy.ts';

/** What becomes of the units: `declared` or `topped_up` of declaration_lines. */
type Counter = 'declared' | 'topped_up';

/**
 * Moves units of the shared stock (buffers stay) and of supplies into a declaration's levels, all of it or nothing: lots must last until the session's end
 * plus the channel's minimum life. Returns what that makes, per SKU. Throws Problem with the field at fault.
 */
export async function moveIn(
  tx: Tx, network: Network, to: { id: string; allotmentId: number; channelId: number; endsAt: Date }, lines: readonly LineRequest[], counter: Counter, policy: DeclarationPolicy,
): Promise<ContractLine[]> {
  const sources = await findSources(tx, network, lines, { allotmentId: 0, lastsUntil: lastsUntil(network, to.channelId, to.endsAt) }, policy);
  const levels = new Map(sources.flatMap((s) => s.levels.map((l) => [l.id, l] as const)));
  const key = (l: { skuId: number; locationId: number; lotId: number; supplyId: number }) => ({ skuId: l.skuId, locationId: l.locationId, condition: 'sellable', lotId: l.lotId, supplyId: l.supplyId, allotmentId: to.allotmentId });
  // Both sides at once, in the order of their ids, so that two commands never wait for each other.
  const own = await ensureLevels(tx.client, [...levels.values()].map(key));
  const locked = await lockLevels(tx.client, [...levels.keys(), ...own]);
  await checkSupplies(tx, sources, to.endsAt);
  const free = new Map([...locked.values()].map((l) => [l.id, l.sellable ? l.onHand - l.reserved - l.buffer : 0]));

  const moves: { levelId: number; units: number }[] = [];
  const contract = new Map<string, ContractSource[]>();
  for (const source of sources) {
    const ids = source.levels.map((l) => l.id);
    const taken = takeInOrder(ids, source.units, free);
    if (!taken) {
      const available = ids.reduce((sum, id) => sum + Math.max(0, free.get(id) ?? 0), 0);
      throw new Problem('insufficient_stock', `${source.name} has ${available} free units of SKU "${source.sku}", not ${source.units}`, source.field, { available });
    }
    moves.push(...taken);
    const views = contract.get(source.sku) ?? [];
    contract.set(source.sku, [...views, ...taken.flatMap(({ levelId, units }) => { const level = levels.get(levelId); return level ? [{ ...level.view, units }] : []; })]);
  }
  const targets = await moveUnits(tx, `declaration_${counter}`, moves.map((m) => ({ fromLevelId: m.levelId, units: m.units, to: key(levels.get(m.levelId) as Parameters<typeof key>[0]) })));
  for (const [i, { levelId, units }] of moves.entries()) {
    const level = levels.get(levelId);
    if (!level) throw new Error('unreachable: units are taken from levels that were found');
    await tx.query(
      `insert into declaration_lines (declaration_id, sku_id, home_level_id, level_id, firm, confidence, ${counter}) values ($1, $2, $3, $4, $5, $6, $7)
       on conflict (declaration_id, level_id, home_level_id) do update set ${counter} = declaration_lines.${counter} + excluded.${counter}`,
      [to.id, level.skuId, levelId, targets[i], level.view.firm, level.view.confidence, units]);
  }
  return [...contract].map(([sku, views]) => contractLine(sku, views));
}
