import type pg from 'pg';
import { borrowKey } from './capture/taken.ts';
import { StockPool } from './stock-pool.ts';
import type { LockedLevel } from './ledger.ts';

type Row = {
  id: number; skuId: number; locationId: number; allotmentId: number; supplyId: number; onHand: number; reserved: number; buffer: number;
  expires: string | null; recalled: boolean; expectedAt: Date | null;
};

const COLUMNS = `l.id, l.sku_id "skuId", l.location_id "locationId", l.allotment_id "allotmentId", l.supply_id "supplyId", l.on_hand "onHand", l.reserved, l.buffer,
  lots.expires_on::text "expires", lots.recalled_at is not null recalled, supplies.expected_at "expectedAt"`;
const JOINS = 'join lots on lots.id = l.lot_id join supplies on supplies.id = l.supply_id';
const OPEN_BATCH = 100_000;
const SINCE_OLDEST = `(select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 * 1000 from pg_stat_activity where backend_xid is not null)`;

/**
 * The sellable stock as this process last saw it, by allotment, what is there and what is coming: a guess to rank candidates by, never the
 * judge (locked rows are). Own commits show at once, those of other processes after at most `refreshMs`.
 */
export class StockProjection {
  readonly #there = new Map<number, StockPool>([[0, new StockPool()]]);
  readonly #coming = new Map<number, StockPool>();
  readonly #pool: pg.Pool;
  readonly #shared: StockPool;
  #cursor = '0';
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #borrowed: Map<string, number> | null = null;
  /** when the last refresh was complete, ms since epoch */
  refreshedAt = 0;
  /** everything that was committed before is shown, ms since epoch: the last refresh's beginning, or the oldest transaction's that was open then */
  asOf = 0;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
    this.#shared = this.#there.get(0) as StockPool;
  }

  async open(refreshMs = 500): Promise<void> {
    this.asOf = Date.now();
    const { rows: [at] } = await this.#pool.query<{ xmin: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text xmin');
    this.#cursor = at?.xmin ?? '0';
    for (let after = 0; ;) {
      const { rows } = await this.#pool.query<Row>(`select ${COLUMNS} from stock_levels l ${JOINS} where l.condition = 'sellable' and l.id > $1 order by l.id limit $2`, [after, OPEN_BATCH]);
      for (const row of rows) this.#put(row);
      if (rows.length < OPEN_BATCH) break;
      after = rows.at(-1)?.id ?? after;
    }
    this.refreshedAt = Date.now();
    const tick = (): void => {
      this.#timer = setTimeout(() => {
        this.#running = this.refresh()
          .catch((error: Error) => process.emitWarning(`stock projection not refreshed: ${error.message}`))
          .finally(tick);
      }, refreshMs).unref();
    };
    tick();
  }

  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** Reads what others changed. Rows are taken only below the oldest running transaction, so none is passed over. */
  async refresh(): Promise<void> {
    const began = Date.now();
    const { rows } = await this.#pool.query<Row & { xmin: string; behind: number }>({
      name: 'projection_refresh',
      text: `with s as materialized (select pg_snapshot_xmin(pg_current_snapshot()) xmin),
        changed as materialized (select distinct level_id from stock_movements where xid >= $1::text::xid8 and xid < (select xmin from s))
        select s.xmin::text xmin, ${SINCE_OLDEST} behind, ${COLUMNS} from s left join (changed join stock_levels l on l.id = changed.level_id and l.condition = 'sellable' ${JOINS}) on true`,
      values: [this.#cursor],
    });
    for (const row of rows) if (row.id !== null) this.#put(row);
    this.#cursor = rows[0]?.xmin ?? this.#cursor;
    if (this.#borrowed) await this.#readBorrowed();
    this.asOf = began - (rows[0]?.behind ?? 0);
    this.refreshedAt = Date.now();
  }

  /** Units that allotments have borrowed, by `borrowKey`; read at each refresh from the first time that somebody asks. */
  async borrowed(): Promise<ReadonlyMap<string, number>> { return this.#borrowed ?? this.#readBorrowed(); }

  async #readBorrowed(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await this.#pool.query<{ a: number; s: number; n: number }>('select allotment_id a, sku_id s, borrowed n from allotment_borrowings where borrowed > 0');
    return (this.#borrowed = new Map(rows.map((r) => [borrowKey(r.a, r.s), r.n])));
  }

  #put(row: Row): void {
    const pools = row.supplyId === 0 ? this.#there : this.#coming;
    let pool = pools.get(row.allotmentId);
    if (!pool) pools.set(row.allotmentId, (pool = new StockPool()));
    pool.put(row.skuId, row.locationId, row.id, row.recalled ? 0 : Math.max(0, row.onHand - row.reserved - row.buffer), row.expires, row.expectedAt?.getTime() ?? null);
  }

  /** A level as committed or locked by this process; what may not be sold (a recalled lot) has nothing free. False for one that is not known yet. */
  committed(row: LockedLevel): boolean {
    const pool = (row.supplyId === 0 ? this.#there : this.#coming).get(row.allotmentId);
    return pool?.set(row.skuId, row.locationId, row.id, row.sellable ? Math.max(0, row.onHand - row.reserved - row.buffer) : 0) ?? false;
  }

  /** Reads levels again: after a rollback what was shown of them may be wrong. */
  async reread(levelIds: readonly number[]): Promise<void> {
    if (levelIds.length === 0) return;
    const { rows } = await this.#pool.query<Row>(`select ${COLUMNS} from stock_levels l ${JOINS} where l.condition = 'sellable' and l.id = any($1::bigint[])`, [levelIds]);
    for (const row of rows) this.#put(row);
  }

  /** Reads all levels of some SKUs again, new ones included. */
  async rereadSkus(client: pg.ClientBase | pg.Pool, skuIds: readonly number[]): Promise<void> {
    const { rows } = await client.query<Row>({
      name: 'projection_skus',
      text: `select ${COLUMNS} from stock_levels l ${JOINS} where l.condition = 'sellable' and l.sku_id = any($1::int[])`,
      values: [[...new Set(skuIds)]],
    });
    for (const row of rows) this.#put(row);
  }

  /** What is there of an allotment; 0 is the shared stock. */
  there(allotmentId: number): StockPool | undefined { return allotmentId === 0 ? this.#shared : this.#there.get(allotmentId); }

  /** What is coming to an allotment: levels of dated supplies. */
  coming(allotmentId: number): StockPool | undefined { return this.#coming.get(allotmentId); }

  /** Units of the shared stock that may be sold at a location; an arrow function because it is passed into first-fit. */
  readonly available = (skuId: number, locationId: number): number => this.#shared.available(skuId, locationId);

  /** The levels of the shared stock to take units from, first-expired-first. */
  levelsOf(skuId: number, locationId: number): readonly { id: number; free: number }[] { return this.#shared.levelsOf(skuId, locationId); }

  /** Where a SKU has units of the shared stock: location id → free units. */
  locationsOf(skuId: number): Map<number, number> { return this.#shared.locationsOf(skuId); }
}
