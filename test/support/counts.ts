import { bodyHash } from '../../db/capture/prepare.ts';
import { reconcileLocation } from '../../db/reconciliation/reconcile.ts';
import { putRule, type ReconciliationRule } from '../../db/reconciliation/rules.ts';
import { stageSnapshot, type SnapshotAnswer, type SnapshotHead } from '../../db/reconciliation/stage-snapshot.ts';
import type { BadLine, CountedRow } from '../../domain/stock/counted-row.ts';
import type { World } from './world.ts';

export type Counted = Pick<CountedRow, 'sku' | 'quantity'> & Partial<CountedRow>;

/** Counts of a world's locations. Movements carry the time of the database, so the world's clock is set to it. */
export class Counts {
  readonly world: World;
  #ids = 0;

  constructor(world: World) {
    this.world = world;
    world.now = new Date();
  }

  /** So many minutes ago. */
  ago(minutes: number): Date { return new Date(this.world.now.getTime() - minutes * 60_000); }

  rule(changes: Partial<ReconciliationRule> = {}, location = 'L-1'): Promise<void> {
    return putRule(this.world.store.writer, { id: this.world.locationId(location), code: location }, { toleranceUnits: 2, tolerancePercent: 0, windowS: 900, pullEveryS: null, ...changes });
  }

  /** Stock that has been there for a day. */
  async stock(sku: string, at: Record<string, number>): Promise<void> {
    await this.world.setStock(sku, at);
    await this.moved(sku, 1440);
  }

  /** Dates every movement of a SKU that is younger than that to so many minutes ago. */
  async moved(sku: string, minutes: number): Promise<void> {
    await this.world.store.pool.query(
      `update stock_movements m set at = $2 from stock_levels v join skus s on s.id = v.sku_id where v.id = m.level_id and s.code = $1 and m.at > $3`, [sku, this.ago(minutes), this.ago(1)]);
  }

  stage(lines: readonly Counted[], head: Partial<SnapshotHead> = {}, strict = true): Promise<SnapshotAnswer> {
    const code = head.location ?? 'L-1';
    const whole: SnapshotHead = { locationId: this.world.locationId(code), location: code, id: `S-${++this.#ids}`, kind: 'delta', source: 'wms', origin: 'api', takenAt: this.world.now, ...head };
    async function* rows(): AsyncGenerator<CountedRow | BadLine> {
      for (const [i, line] of lines.entries()) yield await Promise.resolve({ line: i + 1, condition: 'sellable', unit: null, lot: null, ...line });
    }
    return stageSnapshot(this.world.store.writer, whole, { rows: rows(), hash: () => bodyHash(lines), strict });
  }

  /** Staged and processed. Returns the lines as `[sku, counted, expected, variance, class, action]`. */
  async count(lines: readonly Counted[], head: Partial<SnapshotHead> = {}): Promise<unknown[][]> {
    const { id, location } = await this.stage(lines, head);
    await reconcileLocation(this.world.store.writer, this.world.locationId(location));
    return this.lines(id, location);
  }

  async lines(id: string, location = 'L-1'): Promise<unknown[][]> {
    const { rows } = await this.world.store.pool.query<Record<string, unknown>>(
      `select l.sku_code, l.counted, l.expected, l.variance, l.class, l.action from snapshot_lines l join snapshots s on s.id = l.snapshot_id where s.location_id = $1 and s.external_id = $2 order by l.line_no`,
      [this.world.locationId(location), id]);
    return rows.map((r) => Object.values(r));
  }

  /** Open recounts as `[id, sku, counted, expected, variance]`. */
  async recounts(): Promise<[number, string, number, number, number][]> {
    const { rows } = await this.world.store.pool.query<{ id: number; code: string; counted: number; expected: number; variance: number }>(
      `select r.id, k.code, r.counted, r.expected, r.variance from recounts r join skus k on k.id = r.sku_id where r.status = 'open' order by r.id`);
    return rows.map((r) => [r.id, r.code, r.counted, r.expected, r.variance]);
  }
}
