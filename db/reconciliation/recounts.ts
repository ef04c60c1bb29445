import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';
import { bookCorrections, lockForCorrections } from './book-variances.ts';
import { lineFacts, type FactsOfLine } from './line-facts.ts';

export type RecountAnswer = { id: number; counted: number; countedAt: string; expected: number; variance: number; shortened: number };
type Recount = { location_id: number; sku_id: number; condition: string; lot_code: string; status: 'open' | 'done'; snapshot_id: number | null; figure: number | null; answer: RecountAnswer | null };

/**
 * Answers a recount: the book takes the figure as of `countedAt` (default: now). The same figure again gives the same answer, another one `conflict`.
 * @param locationId the location a key is bound to, else null
 * Throws `not_found`, `unprocessable` for a time to come, `conflict` where the units are not there to be lost any more or nobody knows their lot.
 */
export async function confirmRecount(writer: StockWriter, id: number, locationId: number | null, figure: { counted: number; countedAt?: string }, actor: string): Promise<RecountAnswer> {
  return writer.change(async (tx) => {
    const recount = await tx.one<Recount>('select location_id, sku_id, condition, lot_code, status, snapshot_id, figure, answer from recounts where id = $1 for no key update', [id]);
    if (!recount || (locationId !== null && locationId !== recount.location_id)) throw new Problem('not_found', `recount ${id} is not known`);
    if (recount.status === 'done') {
      if (recount.answer && recount.figure === figure.counted) return recount.answer;
      throw new Problem('conflict', `recount ${id} has been answered: ${recount.figure ?? 0} units`);
    }
    const countedAt = figure.countedAt === undefined ? null : new Date(figure.countedAt);
    if (countedAt !== null && countedAt > tx.now) throw new Problem('unprocessable', 'countedAt is yet to come', '/countedAt');
    const takenAt = countedAt ?? tx.now;
    const { sku_id: skuId, condition } = recount;
    const lot = recount.lot_code === '' ? null : recount.lot_code;
    const read = async (): Promise<FactsOfLine & { expected: number }> => {
      const [facts] = await lineFacts(tx, { snapshotId: recount.snapshot_id ?? 0, locationId: recount.location_id, takenAt, windowS: 0, flowXmin: '0' }, [{ lineNo: 1, skuId, condition, lot, counted: figure.counted }]);
      if (!facts) throw new Error('a line has its facts');
      // Without a time the figure is of this very moment, whatever the two clocks say.
      const after = countedAt === null ? 0 : facts.flows.reduce((sum, f) => sum + (f.at > takenAt.getTime() ? f.units : 0), 0);
      return { ...facts, expected: facts.onHand - after };
    };
    const before = await read();
    if (before.superseded) throw new Problem('conflict', 'a later count of the same has been processed', '/countedAt');
    if (figure.counted !== before.expected) await lockForCorrections(tx, recount.location_id, [{ skuId, condition, lot, units: figure.counted - before.expected }]);
    const facts = await read();
    const variance = figure.counted - facts.expected;
    if (facts.onHand + variance < 0) throw new Problem('conflict', `${facts.onHand} units are on hand: ${-variance} cannot be lost; count again`, '/counted');
    if (variance > 0 && !facts.placeable) throw new Problem('conflict', 'the SKU is tracked by lot and has none here: book the units in with their lot', '/counted');
    const [shortened = 0] = variance === 0 ? [] : await bookCorrections(tx, recount.location_id, [{ skuId, condition, lot, units: variance }], actor);
    const answer: RecountAnswer = { id, counted: figure.counted, countedAt: takenAt.toISOString(), expected: facts.expected, variance, shortened };
    await tx.query(`update recounts set status = 'done', closed_at = $2, closed_by = $3, figure = $4, expected = $5, variance = $6, answer = $7 where id = $1`,
      [id, tx.now, actor, figure.counted, facts.expected, variance, JSON.stringify(answer)]);
    await tx.query(
      `insert into stock_counts (location_id, sku_id, condition, lot_code, counted_at, counted) values ($1, $2, $3, $4, $5, $6)
       on conflict (location_id, sku_id, condition, lot_code) do update set counted_at = excluded.counted_at, counted = excluded.counted`,
      [recount.location_id, skuId, condition, recount.lot_code, takenAt, figure.counted]);
    return answer;
  });
}
