import { actionFor, classify, type LineAction, type Verdict } from '../../domain/stock/classify.ts';
import { addSnapshot } from '../../domain/stock/accuracy.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { SNAPSHOT, type SnapshotRow } from './begin-snapshot.ts';
import { bookCorrections, lockForCorrections, type Correction } from './book-variances.ts';
import { lineFacts, type AsOf, type CountedKey, type FactsOfLine } from './line-facts.ts';
import { ruleOf, type ReconciliationRule } from './rules.ts';

export const CHUNK = 1_000;

/** `before` is called inside the transaction when all is written: tests fail there. */
export type ChunkOptions = { size?: number; before?: () => void };

type Line = CountedKey & { skuCode: string };
type Settled = Line & { facts: FactsOfLine; verdict: Verdict; action: LineAction };

/**
 * Settles the next lines of a snapshot that is being compared: classes, corrections, recounts and the mark that these lines are done are one transaction, so
 * whoever is killed goes on where it was. Returns false when there was nothing left: the snapshot is done then.
 */
export async function settleChunk(writer: StockWriter, snapshotId: number, { size = CHUNK, before }: ChunkOptions = {}): Promise<boolean> {
  return writer.change(async (tx) => {
    const snapshot = await tx.one<SnapshotRow>(`select ${SNAPSHOT} from snapshots where id = $1 for no key update`, [snapshotId]);
    if (snapshot?.status !== 'comparing') return false;
    const lines = await tx.query<Line>(
      `select line_no "lineNo", sku_code "skuCode", sku_id "skuId", condition, lot_code lot, counted from snapshot_lines where snapshot_id = $1 and line_no > $2 order by line_no limit $3`,
      [snapshotId, snapshot.lastLine, size]);
    if (lines.length === 0) {
      await finish(tx, snapshot);
      return false;
    }
    const rule = await ruleOf(tx.client, snapshot.locationId);
    const at: AsOf = { snapshotId, locationId: snapshot.locationId, takenAt: snapshot.takenAt, windowS: rule.windowS, flowXmin: snapshot.flowXmin ?? '0' };
    let settled = await judge(tx, at, rule, lines);
    const first = corrections(settled);
    if (first.length > 0) {
      // Judged again under the locks: what is booked then is right at that moment. A line that has become one to be booked is to be counted again instead.
      await lockForCorrections(tx, snapshot.locationId, first.map((c) => c.correction));
      const locked = new Set(first.map((c) => c.line.lineNo));
      settled = (await judge(tx, at, rule, lines)).map((l) => (l.action === 'adjust' && !locked.has(l.lineNo) ? { ...l, action: 'recount' } : l));
    }
    const booked = corrections(settled);
    const shortened = await bookCorrections(tx, snapshot.locationId, booked.map((c) => c.correction), `reconciliation:${snapshot.externalId}`);
    await write(tx, snapshot, settled, new Map(booked.map((c, i) => [c.line.lineNo, shortened[i] ?? 0])));
    before?.();
    return true;
  });
}

async function judge(tx: Tx, at: AsOf, rule: ReconciliationRule, lines: readonly Line[]): Promise<Settled[]> {
  const tolerance = { units: rule.toleranceUnits, percent: rule.tolerancePercent };
  const facts = await lineFacts(tx, at, lines);
  return lines.map((line, i) => {
    const known = facts[i] as FactsOfLine;
    const verdict = classify(known, at.takenAt.getTime(), at.windowS * 1000);
    const bookable = verdict.variance < 0 ? known.onHand + verdict.variance >= 0 : known.placeable;
    return { ...line, facts: known, verdict, action: actionFor(verdict, tolerance, known.open?.variance ?? null, bookable) };
  });
}

function corrections(settled: readonly Settled[]): { line: Settled; correction: Correction }[] {
  return settled.flatMap((line) => (line.action === 'adjust' && line.skuId !== null
    ? [{ line, correction: { skuId: line.skuId, condition: line.condition, lot: line.lot, units: line.verdict.variance } }] : []));
}

async function write(tx: Tx, snapshot: SnapshotRow, settled: readonly Settled[], shortened: ReadonlyMap<number, number>): Promise<void> {
  // Without a name: planned for the table as it is now, as in line-facts.ts.
  await tx.client.query(
    `update snapshot_lines l set expected = t.expected, variance = t.variance, class = t.class, action = t.action, shortened = t.shortened, settled_at = $2
     from unnest($3::int[], $4::int[], $5::int[], $6::text[], $7::text[], $8::int[]) t(line_no, expected, variance, class, action, shortened) where l.snapshot_id = $1 and l.line_no = t.line_no`,
    [snapshot.id, tx.now, settled.map((l) => l.lineNo), settled.map((l) => (l.facts.known ? l.verdict.expected : null)), settled.map((l) => (l.facts.known ? l.verdict.variance : null)),
      settled.map((l) => l.verdict.class), settled.map((l) => l.action), settled.map((l) => shortened.get(l.lineNo) ?? 0)]);
  const counted = settled.filter((l) => l.skuId !== null && l.verdict.class !== 'superseded');
  await tx.query(
    `insert into stock_counts (location_id, sku_id, condition, lot_code, counted_at, counted) select $1, s, c, coalesce(o, ''), $2, q from unnest($3::int[], $4::text[], $5::text[], $6::int[]) t(s, c, o, q) order by s, c, o
     on conflict (location_id, sku_id, condition, lot_code) do update set counted_at = greatest(stock_counts.counted_at, excluded.counted_at),
       counted = case when excluded.counted_at >= stock_counts.counted_at then excluded.counted else stock_counts.counted end`,
    [snapshot.locationId, snapshot.takenAt, counted.map((l) => l.skuId), counted.map((l) => l.condition), counted.map((l) => l.lot), counted.map((l) => l.counted)]);
  await writeRecounts(tx, snapshot, settled);
  await tx.query('update snapshots set last_line = $2 where id = $1', [snapshot.id, settled.at(-1)?.lineNo]);
}

/** Opens recounts, gives open ones the newer figures, and closes those that this count has answered. */
async function writeRecounts(tx: Tx, snapshot: SnapshotRow, settled: readonly Settled[]): Promise<void> {
  const asked = settled.filter((l) => l.action === 'recount');
  if (asked.length > 0) {
    await tx.query(
      `insert into recounts (location_id, sku_id, condition, lot_code, snapshot_id, counted, expected, variance, opened_at)
       select $1, s, c, coalesce(o, ''), $2, q, e, v, $3 from unnest($4::int[], $5::text[], $6::text[], $7::int[], $8::int[], $9::int[]) t(s, c, o, q, e, v) order by s, c, o
       on conflict (location_id, sku_id, condition, lot_code) where status = 'open' do update
         set snapshot_id = excluded.snapshot_id, counted = excluded.counted, expected = excluded.expected, variance = excluded.variance`,
      [snapshot.locationId, snapshot.id, tx.now, asked.map((l) => l.skuId), asked.map((l) => l.condition), asked.map((l) => l.lot), asked.map((l) => l.counted),
        asked.map((l) => l.verdict.expected), asked.map((l) => l.verdict.variance)]);
  }
  const answered = settled.filter((l) => l.facts.open !== null && (l.action === 'adjust' || l.verdict.class === 'match'));
  if (answered.length > 0) {
    await tx.query(
      `update recounts r set status = 'done', closed_at = $2, closed_by = $3, figure = t.figure, snapshot_id = $1 from unnest($4::bigint[], $5::int[]) t(id, figure) where r.id = t.id and r.status = 'open'`,
      [snapshot.id, tx.now, `reconciliation:${snapshot.externalId}`, answered.map((l) => l.facts.open?.id), answered.map((l) => l.counted)]);
  }
}

/** Classes whose lines tell how well the location counts; those where book and count agree once what was under way is taken into account are matched. */
const MATCHED = ['match', 'timing', 'in_flight'];
const COUNTED = [...MATCHED, 'loss', 'gain', 'unit_of_measure'];

async function finish(tx: Tx, snapshot: SnapshotRow): Promise<void> {
  const rows = await tx.query<{ class: string; lines: number; units: number; adjusted: number; recounts: number; shortened: number }>(
    `select class, count(*)::int lines, coalesce(sum(variance), 0)::bigint units, count(*) filter (where action = 'adjust')::int adjusted, count(*) filter (where action = 'recount')::int recounts,
       sum(shortened)::int shortened from snapshot_lines where snapshot_id = $1 group by class order by class`, [snapshot.id]);
  const lines = (classes: readonly string[]): number => rows.filter((r) => classes.includes(r.class)).reduce((sum, r) => sum + r.lines, 0);
  const sum = (of: 'adjusted' | 'recounts' | 'shortened'): number => rows.reduce((total, r) => total + r[of], 0);
  const counts = {
    classes: Object.fromEntries(rows.map((r) => [r.class, { lines: r.lines, units: r.units }])), adjusted: sum('adjusted'), recounts: sum('recounts'), shortened: sum('shortened'),
  };
  await tx.query(`update snapshots set status = 'done', done_at = $2, counts = $3 where id = $1`, [snapshot.id, tx.now, JSON.stringify(counts)]);
  await tx.query('delete from snapshot_flows where snapshot_id = $1', [snapshot.id]);
  if (lines(COUNTED) === 0) return;
  // Made first, so that two locations' first snapshots, or two of one, have a row to lock.
  await tx.query('insert into location_accuracy values ($1, 0, 0, $2) on conflict (location_id) do nothing', [snapshot.locationId, tx.now]);
  const before = await tx.one<{ countedLines: number; matchedLines: number }>(
    'select counted_lines "countedLines", matched_lines "matchedLines" from location_accuracy where location_id = $1 for no key update', [snapshot.locationId]);
  const after = addSnapshot(before, lines(MATCHED), lines(COUNTED));
  await tx.query('update location_accuracy set counted_lines = $2, matched_lines = $3, updated_at = $4 where location_id = $1', [snapshot.locationId, after.countedLines, after.matchedLines, tx.now]);
}
