import { Problem } from '../../domain/problem.ts';
import { takeInOrder, type ContractLine, type LineRequest } from '../../domain/stock/declaration.ts';
import { ensureLevels, lockLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import { moveUnits } from '../stock/move-units.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockDeclaration, showAtOnce, type Declaration } from './declaration.ts';
import { findSources, type SourceLevel } from './find-sources.ts';
import { moveIn } from './move-in.ts';
import { readPolicy } from './policy.ts';

export type UnitsRequest = { reference: string; lines: LineRequest[] };
export type TopUpAnswer = { reference: string; units: number; lines: ContractLine[] };
export type GiveBackAnswer = { reference: string; units: number };

/** Adds units to a session that is declared or live, all or nothing. Idempotent by reference. */
export async function topUp(writer: StockWriter, network: Network, code: string, request: UnitsRequest): Promise<TopUpAnswer> {
  const { answer, allotmentId } = await writer.change(async (tx) => {
    const declaration = await lockDeclaration(tx, { code });
    const source = `declaration:${code}:top-up`;
    const known = await claimReference<TopUpAnswer>(tx, source, request.reference, request);
    if (known) return { answer: known, allotmentId: declaration.allotmentId };
    mustRun(declaration, tx);
    const lines = await moveIn(tx, network, declaration, request.lines, 'topped_up', await readPolicy(tx));
    const made: TopUpAnswer = { reference: request.reference, units: lines.reduce((sum, l) => sum + l.firm + l.soft, 0), lines };
    await storeAnswer(tx, source, request.reference, made);
    return { answer: made, allotmentId: declaration.allotmentId };
  });
  await showAtOnce(writer, network, allotmentId);
  return answer;
}

/** Gives units that no order holds back to where they came from, those that expire last first; all or nothing. Idempotent by reference. */
export async function giveBack(writer: StockWriter, network: Network, code: string, request: UnitsRequest): Promise<GiveBackAnswer> {
  return writer.change(async (tx) => {
    const declaration = await lockDeclaration(tx, { code });
    const source = `declaration:${code}:give-back`;
    const known = await claimReference<GiveBackAnswer>(tx, source, request.reference, request);
    if (known) return known;
    mustRun(declaration, tx);
    const moves = await takeFree(tx, network, declaration, request.lines);
    const homes = await moveUnits(tx, 'declaration_given_back', moves.map(({ level, units }) => ({ fromLevelId: level.id, units, to: home(level) })));
    for (const [i, { level, units }] of moves.entries()) {
      await tx.query(
        `insert into declaration_lines (declaration_id, sku_id, home_level_id, level_id, firm, confidence, given_back) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (declaration_id, level_id, home_level_id) do update set given_back = declaration_lines.given_back + excluded.given_back`,
        [declaration.id, level.skuId, homes[i], level.id, level.view.firm, level.view.confidence, units]);
    }
    const answer = { reference: request.reference, units: moves.reduce((sum, m) => sum + m.units, 0) };
    await storeAnswer(tx, source, request.reference, answer);
    return answer;
  });
}

const home = (l: SourceLevel) => ({ skuId: l.skuId, locationId: l.locationId, condition: 'sellable', lotId: l.lotId, supplyId: l.supplyId, allotmentId: 0 });

async function takeFree(tx: Tx, network: Network, declaration: Declaration, lines: readonly LineRequest[]): Promise<{ level: SourceLevel; units: number }[]> {
  const sources = await findSources(tx, network, lines, { allotmentId: declaration.allotmentId, lastsUntil: null, latestFirst: true }, await readPolicy(tx));
  const levels = new Map(sources.flatMap((s) => s.levels.map((l) => [l.id, l] as const)));
  const homes = await ensureLevels(tx.client, [...levels.values()].map(home));
  const locked = await lockLevels(tx.client, [...levels.keys(), ...homes]);
  const free = new Map([...levels.keys()].map((id) => [id, (locked.get(id)?.onHand ?? 0) - (locked.get(id)?.reserved ?? 0)]));
  return sources.flatMap((source) => {
    const ids = source.levels.map((l) => l.id);
    const taken = takeInOrder(ids, source.units, free);
    if (!taken) {
      const available = ids.reduce((sum, id) => sum + (free.get(id) ?? 0), 0);
      throw new Problem('insufficient_stock', `the session has ${available} free units of SKU "${source.sku}" from ${source.name}, not ${source.units}`, source.field, { available });
    }
    return taken.map(({ levelId, units }) => ({ level: levels.get(levelId) as SourceLevel, units }));
  });
}

function mustRun(declaration: Declaration, tx: Tx): void {
  if (declaration.status !== 'declared' && declaration.status !== 'live') throw new Problem('conflict', `the session is ${declaration.status}: its units can no longer be changed`);
  if (declaration.endsAt <= tx.now) throw new Problem('conflict', `the session ended at ${declaration.endsAt.toISOString()}`);
}
