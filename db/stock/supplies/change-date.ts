import { Problem } from '../../../domain/problem.ts';
import type { Network } from '../../network.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { purchaseDated } from '../../purchases/arrived.ts';
import { transferDated } from '../../transfers/arrived.ts';
import type { Tx } from '../../tx.ts';
import { otherLevels, repegClaims, warnLate } from './repeg.ts';
import { announceChange, findSupply, letBeServed, lockOpen, lockSupply, type Claim } from './supply.ts';

/** `repegged`: units that found others in time; `warned`: orders that were told that theirs come later. */
export type DateAnswer = { reference: string; expectedAt: string; version: number; repegged: number; warned: number };

/**
 * A supply gets another date. Where it is later, orders whose ship-by date it misses, or whose channel does not look so far ahead, get other units that are there or come in time (by
 * the old date or by their ship-by date), the first promised first; who finds none is warned. `version`: of the supply that the caller has read, to refuse a change of what somebody else has changed. Throws Problem.
 */
export async function changeSupplyDate(
  writer: StockWriter, network: Network, reference: string, change: { expectedAt: string; version?: number }, actor: string,
): Promise<DateAnswer> {
  return writer.change(async (tx) => {
    const found = await findSupply(tx, reference, null);
    const expectedAt = new Date(change.expectedAt);
    if (!(expectedAt > tx.now)) throw new Problem('unprocessable', 'the new date lies in the past: book the goods in, or say when they come', '/expectedAt');
    const { levels, claims } = await lockSupply(tx, found.id, (some) => otherLevels(tx, found.id, some, true));
    const supply = await lockOpen(tx, found.id);
    if (change.version !== undefined && change.version !== supply.version) throw new Problem('conflict', `supply "${reference}" has version ${supply.version}, not ${change.version}: read it again`, '/version');
    if (supply.expectedAt.getTime() === expectedAt.getTime()) return { reference, expectedAt: expectedAt.toISOString(), version: supply.version, repegged: 0, warned: 0 };
    await tx.query('update supplies set expected_at = $2, overdue_at = null, version = version + 1 where id = $1', [supply.id, expectedAt]);
    await transferDated(tx, supply.id, expectedAt, actor);
    await purchaseDated(tx, supply.id, expectedAt, actor);
    await announceChange(tx, levels.map((l) => l.id));
    let repegged = 0;
    let warned = 0;
    if (expectedAt > supply.expectedAt) {
      const late = await missing(tx, claims, expectedAt);
      repegged = await repegClaims(tx, network, supply, levels, late, supply.expectedAt, actor);
      warned = await warnLate(tx, reference, late, { from: supply.expectedAt, to: expectedAt }, actor);
      await tx.query('update supplies set late_warnings = late_warnings + $2 where id = $1', [supply.id, warned]);
      letBeServed(tx, claims);
    }
    return { reference, expectedAt: expectedAt.toISOString(), version: supply.version + 1, repegged, warned };
  });
}

/** Claims of orders that were to leave before the new date, or whose channel sells nothing that comes so late. */
async function missing(tx: Tx, claims: readonly Claim[], expectedAt: Date): Promise<Claim[]> {
  const rows = await tx.query<{ id: string }>(
    `select o.id from orders o join channels c on c.id = o.channel_id
     where o.id = any($1::uuid[]) and (o.ship_by is null or o.ship_by < $2 or $2 > $3::timestamptz + make_interval(secs => c.supply_horizon_s))`, [claims.map((c) => c.owner), expectedAt, tx.now]);
  const late = new Set(rows.map((r) => r.id));
  return claims.filter((c) => late.has(c.owner));
}

/** Supplies that did not come on their date: their orders get units that are there, or are told, once for each date. Worked off by every worker. Returns how many supplies. */
export async function tendLateSupplies(writer: StockWriter, network: Network): Promise<number> {
  const { rows } = await writer.pool.query<{ reference: string }>(
    `select reference from supplies where status = 'open' and id <> 0 and location_id is not null and overdue_at is null and expected_at <= $1 order by expected_at, id limit 20`, [writer.clock()]);
  let tended = 0;
  for (const { reference } of rows) {
    // One supply that cannot be looked at must not keep the orders of others in the dark.
    tended += await tend(writer, network, reference).catch((error: Error) => {
      process.emitWarning(`supply ${reference} could not be looked at: ${error.message}`);
      return 0;
    });
  }
  return tended;
}

function tend(writer: StockWriter, network: Network, reference: string): Promise<number> {
  return writer.change(async (tx) => {
    const found = await findSupply(tx, reference, null);
    const { levels, claims } = await lockSupply(tx, found.id, (some) => otherLevels(tx, found.id, some, false));
    const marked = await tx.one(`update supplies set overdue_at = $2 where id = $1 and status = 'open' and overdue_at is null and expected_at <= $2 returning 1`, [found.id, tx.now]);
    if (!marked) return 0;
    await repegClaims(tx, network, found, levels, claims, null, 'system');
    const warned = await warnLate(tx, reference, claims, { from: found.expectedAt, to: null }, 'system');
    await tx.query('update supplies set late_warnings = late_warnings + $2 where id = $1', [found.id, warned]);
    return 1;
  });
}
