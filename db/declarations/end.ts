import { Problem } from '../../domain/problem.ts';
import type { BurnDownLine } from '../../domain/stock/declaration.ts';
import { askWorkflow } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { figures } from './burn-down.ts';
import { declarationWorkflow, lockDeclaration, type Declaration } from './declaration.ts';
import { closeAllotment } from './move-home.ts';

/** Written once. `lines` as they stood at `settledAt`; `totals` over all SKUs. `late`: units were still unpaid when the deadline came. */
export type SettlementReport = { code: string; endedAt: string | null; settledAt: string; late: boolean; totals: Omit<BurnDownLine, 'sku'>; lines: BurnDownLine[] };

/** Ends the sales of a locked live session: what is free goes home, the settlement begins. */
export async function endSales(tx: Tx, declaration: Declaration, reason: string): Promise<void> {
  await closeAllotment(tx, declaration);
  const waited = declaration.settleBy.getTime() - declaration.endsAt.getTime();
  await tx.query(`update declarations set status = 'settling', ended_at = $2, end_reason = $3, settle_by = $4 where id = $1`,
    [declaration.id, tx.now, reason, new Date(tx.now.getTime() + waited)]);
}

/** Ends a live session before its time. Again, once it is over: nothing changes. */
export async function endEarly(writer: StockWriter, code: string, reason: string): Promise<void> {
  await writer.change((tx) => endEarlyIn(tx, { code }, reason));
}

/** The same in the caller's transaction. */
export async function endEarlyIn(tx: Tx, by: { code: string } | { id: string }, reason: string): Promise<void> {
  const declaration = await lockDeclaration(tx, by);
  if (declaration.status === 'settling' || declaration.status === 'settled') return;
  // The workflow may be a moment behind the clock.
  const begun = declaration.status === 'live' || (declaration.status === 'declared' && declaration.startsAt <= tx.now);
  if (!begun) throw new Problem('conflict', declaration.status === 'cancelled' ? 'the session was cancelled' : 'the session has not begun: cancel it instead');
  await endSales(tx, declaration, reason);
  await askWorkflow(tx, 'look', declarationWorkflow(declaration.id));
}

/** Cancels a session before it begins: all its units go home. Again: nothing changes. */
export async function cancelDeclaration(writer: StockWriter, code: string, reason: string): Promise<void> {
  await writer.change(async (tx) => {
    const declaration = await lockDeclaration(tx, { code });
    if (declaration.status === 'cancelled') return;
    if (declaration.status !== 'declared' || declaration.startsAt <= tx.now) throw new Problem('conflict', 'the session has begun: end it instead');
    await closeAllotment(tx, declaration);
    await tx.query(`update declarations set status = 'cancelled', ended_at = $2, end_reason = $3 where id = $1`, [declaration.id, tx.now, reason]);
    await askWorkflow(tx, 'look', declarationWorkflow(declaration.id));
  });
}

/** Writes the settlement report of a locked session. */
export async function settle(tx: Tx, declaration: Declaration, late: boolean): Promise<void> {
  const lines = await figures(tx.client, declaration.id, declaration.allotmentId);
  const totals = lines.reduce<Record<string, number>>((sums, { sku: _sku, ...line }) => {
    for (const [name, units] of Object.entries(line)) sums[name] = (sums[name] ?? 0) + units;
    return sums;
  }, {}) as SettlementReport['totals'];
  const report: SettlementReport = { code: declaration.code, endedAt: declaration.endedAt?.toISOString() ?? null, settledAt: tx.now.toISOString(), late, totals, lines };
  await tx.query(`update declarations set status = 'settled', settled_at = $2, report = $3 where id = $1`, [declaration.id, tx.now, JSON.stringify(report)]);
}
