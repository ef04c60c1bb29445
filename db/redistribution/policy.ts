import type pg from 'pg';
import { askWorkflow, type WorkflowRef } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';

/** `redistribution`: plans on its cadence; the name and the input stand in workflows/contract. */
export const REDISTRIBUTION: WorkflowRef = { type: 'redistribution', id: 'redistribution', input: { v: 1 } };

/** Seconds, days, units; money in minor units. `sameCity`, `sameProvince`, `national`: what a trip costs by zone. */
export type RedistributionPolicy = {
  everyS: number; lapseAfterS: number; horizonDays: number; minimumGain: number; sameCity: number; sameProvince: number; national: number; perUnit: number; salvagePercent: number; keepUnits: number; mostLanes: number;
};
export type RedistributionState = RedistributionPolicy & { requestedAt: Date | null; plannedAt: Date | null; outcome: unknown };
const NAMES = {
  everyS: 'every_s', lapseAfterS: 'lapse_after_s', horizonDays: 'horizon_days', minimumGain: 'minimum_gain', sameCity: 'same_city', sameProvince: 'same_province', national: 'national', perUnit: 'per_unit',
  salvagePercent: 'salvage_percent', keepUnits: 'keep_units', mostLanes: 'most_lanes',
} as const satisfies Record<keyof RedistributionPolicy, string>;

export async function readRedistributionState(db: pg.Pool | pg.ClientBase): Promise<RedistributionState> {
  const { rows: [row] } = await db.query<RedistributionState>(
    `select ${Object.entries(NAMES).map(([name, column]) => `${column} "${name}"`).join(', ')}, requested_at "requestedAt", planned_at "plannedAt", outcome from redistribution_policy`);
  if (!row) throw new Error('redistribution_policy has lost its one row: insert it again (see its migration)');
  return row;
}

/** From the next plan on. */
export async function setRedistributionPolicy(writer: StockWriter, policy: RedistributionPolicy): Promise<void> {
  const names = Object.keys(NAMES) as (keyof RedistributionPolicy)[];
  await writer.change(async (tx) => {
    await tx.query(`update redistribution_policy set ${names.map((name, i) => `${NAMES[name]} = $${i + 1}`).join(', ')}`, names.map((name) => policy[name]));
    await askWorkflow(tx, 'look', REDISTRIBUTION);
  });
}

/** A plan is made now; several wishes are one plan. */
export async function requestMoves(writer: StockWriter): Promise<{ requestedAt: string }> {
  return writer.change(async (tx) => {
    await tx.query('update redistribution_policy set requested_at = $1', [tx.now]);
    await askWorkflow(tx, 'look', REDISTRIBUTION);
    return { requestedAt: tx.now.toISOString() };
  });
}
