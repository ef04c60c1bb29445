import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { ruleOf } from './rules.ts';
import { lateAgainst } from './stage-snapshot.ts';

export type SnapshotRow = { id: number; locationId: number; externalId: string; kind: 'full' | 'delta'; takenAt: Date; status: 'staged' | 'comparing' | 'refused' | 'done'; lastLine: number; flowXmin: string | null; badLines: number };
export const SNAPSHOT = 'id, location_id "locationId", external_id "externalId", kind, taken_at "takenAt", status, last_line "lastLine", flow_xmin::text "flowXmin", bad_lines "badLines"';

/**
 * Makes a staged snapshot ready to be compared: refuses it when a newer full one was processed since it came, finds SKUs that have become known, adds what a full
 * one does not tell of as counted 0 (in the conditions that it tells of, and only when every line of it could be read), and reads the movements around and
 * since the count once. Again or twice at once: once. Returns its state.
 */
export async function beginSnapshot(writer: StockWriter, snapshotId: number): Promise<SnapshotRow> {
  return writer.change(async (tx) => {
    const snapshot = await tx.one<SnapshotRow>(`select ${SNAPSHOT} from snapshots where id = $1 for no key update`, [snapshotId]);
    if (!snapshot) throw new Error(`snapshot ${snapshotId} does not exist`);
    if (snapshot.status !== 'staged') return snapshot;
    const late = await lateAgainst(tx.client, snapshot.locationId, snapshot.takenAt);
    if (late !== null) {
      const reason = `the full snapshot of ${late.toISOString()} has been processed`;
      await tx.query(`update snapshots set status = 'refused', reason = $2, done_at = $3 where id = $1`, [snapshotId, reason, tx.now]);
      return { ...snapshot, status: 'refused' };
    }
    await tx.query('update snapshot_lines l set sku_id = k.id from skus k where l.snapshot_id = $1 and l.sku_id is null and k.code = l.sku_code', [snapshotId]);
    if (snapshot.kind === 'full' && snapshot.badLines === 0) await addMissing(tx, snapshot);
    // The horizon first: a transaction that commits between the two statements is then read twice, and never not at all.
    const row = await tx.one<{ xmin: string }>(
      `update snapshots set status = 'comparing', flow_xmin = pg_snapshot_xmin(pg_current_snapshot()), lines = (select count(*) from snapshot_lines where snapshot_id = $1) where id = $1 returning flow_xmin::text xmin`, [snapshotId]);
    const rule = await ruleOf(tx.client, snapshot.locationId);
    await tx.query(
      `insert into snapshot_flows (snapshot_id, level_id, command_id, leg, d_on_hand, at) select $1, m.level_id, m.command_id, m.leg, m.d_on_hand, m.at from stock_movements m
       join stock_levels v on v.id = m.level_id where v.location_id = $2 and v.supply_id = 0 and m.at >= $3::timestamptz - make_interval(secs => $4) and m.d_on_hand <> 0 and m.cause <> 'reconciliation'`,
      [snapshotId, snapshot.locationId, snapshot.takenAt, rule.windowS]);
    return { ...snapshot, status: 'comparing', flowXmin: row?.xmin ?? null };
  });
}

/** Of lots where the count tells of lots, else of the SKU as a whole. */
async function addMissing(tx: Tx, snapshot: SnapshotRow): Promise<void> {
  // Nobody has counted the new lines for the planner yet: it takes them for a few, and a nested loop over a million would take hours.
  await tx.query('set local enable_nestloop = off');
  await tx.query(
    `with told as materialized (select sku_id, condition, bool_or(lot_code is not null) by_lot from snapshot_lines where snapshot_id = $1 and sku_id is not null group by 1, 2),
     there as (select v.sku_id, v.condition, case when t.by_lot then o.code end lot from stock_levels v join lots o on o.id = v.lot_id left join told t on t.sku_id = v.sku_id and t.condition = v.condition
       where v.location_id = $2 and v.supply_id = 0 and v.on_hand > 0 and v.condition in (select condition from told) and (t.sku_id is null or t.by_lot) group by 1, 2, 3),
     missing as (select t.* from there t left join snapshot_lines l on l.snapshot_id = $1 and l.sku_id = t.sku_id and l.condition = t.condition and l.lot_code = t.lot where l.line_no is null)
     insert into snapshot_lines (snapshot_id, line_no, sku_code, sku_id, condition, lot_code, counted)
     select $1, (select max(line_no) from snapshot_lines where snapshot_id = $1) + row_number() over (order by k.code, m.condition, m.lot), k.code, k.id, m.condition, m.lot, 0
     from missing m join skus k on k.id = m.sku_id`, [snapshot.id, snapshot.locationId]);
  await tx.query('set local enable_nestloop = on');
}
