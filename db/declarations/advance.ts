import { PAYMENT_DUE } from '../../domain/order/payment.ts';
import { nextDeclarationStep, type DeclarationFacts, type DeclarationStep } from '../../domain/stock/declaration-flow.ts';
import type { DeclarationStatus } from '../../domain/stock/declaration.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { lockDeclaration, type Declaration } from './declaration.ts';
import { endSales, settle } from './end.ts';
import { moveHome } from './move-home.ts';

const OVER: ReadonlySet<DeclarationStatus> = new Set(['settling', 'settled', 'cancelled']);

/**
 * Takes every step of a session that is due, each in its own transaction and safe to repeat, and returns what it waits for now. Units that cancellations
 * freed after the end go home on the way.
 */
export async function advanceDeclaration(writer: StockWriter, id: string): Promise<{ status: DeclarationStatus; step: Extract<DeclarationStep, { do: 'wait' | 'finish' }> }> {
  for (;;) {
    const { status, step } = await writer.change(async (tx) => {
      const declaration = await lockDeclaration(tx, { id });
      if (OVER.has(declaration.status)) await moveHome(tx, declaration);
      const next = nextDeclarationStep(await readFacts(tx, declaration), tx.now.toISOString());
      await take(tx, declaration, next);
      return { status: declaration.status, step: next };
    });
    if (step.do === 'wait' || step.do === 'finish') return { status, step };
  }
}

async function take(tx: Tx, declaration: Declaration, step: DeclarationStep): Promise<void> {
  if (step.do === 'go_live') await tx.query(`update declarations set status = 'live', live_at = $2 where id = $1`, [declaration.id, tx.now]);
  if (step.do === 'end') await endSales(tx, declaration, 'its time is over');
  if (step.do === 'finish') await tx.query('update declarations set emptied_at = $2 where id = $1 and emptied_at is null', [declaration.id, tx.now]);
  if (step.do === 'settle') await settle(tx, declaration, (await unpaid(tx, declaration)).units > 0);
}

async function readFacts(tx: Tx, declaration: Declaration): Promise<DeclarationFacts> {
  const { reserved } = await tx.one<{ reserved: number }>('select coalesce(sum(reserved), 0)::int reserved from stock_levels where allotment_id = $1', [declaration.allotmentId]) ?? { reserved: 0 };
  // Only the settlement asks for it, and then only once or so a minute.
  const open = declaration.status === 'settling' && reserved > 0 ? await unpaid(tx, declaration) : { units: 0, due: null };
  return {
    status: declaration.status, startsAt: declaration.startsAt.toISOString(), endsAt: declaration.endsAt.toISOString(), settleBy: declaration.settleBy.toISOString(),
    unpaid: open.units, nextPaymentDue: open.due?.toISOString() ?? null, reserved,
  };
}

async function unpaid(tx: Tx, declaration: Declaration): Promise<{ units: number; due: Date | null }> {
  return await tx.one<{ units: number; due: Date | null }>(
    `select coalesce(sum(r.quantity), 0)::int units, min(o.payment_due_at) due from orders o join reservations r on r.order_id = o.id and r.status in ('held', 'confirmed')
     where o.allotment_id = $1 and o.payment_status in ${PAYMENT_DUE} and o.closed_at is null`, [declaration.allotmentId]) ?? { units: 0, due: null };
}
