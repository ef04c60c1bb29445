import type pg from 'pg';

export type LevelRow = { id: number; skuId: number; locationId: number; onHand: number; reserved: number; buffer: number };
type Level = { id: number; free: number; expires: string | null };

const COLUMNS = `l.id, l.sku_id "skuId", l.location_id "locationId", l.on_hand "onHand", l.reserved, l.buffer, lots.expires_on::text "expires"`;
/** Shared, sellable, physically there: what any order may be promised from. Recalled lots are not for sale. */
const SELLABLE = `l.condition = 'sellable' and l.allotment_id = 0 and l.supply_id = 0`;

/**
 * The shared sellable stock as this process last saw it: a guess to rank candidates by, never the judge (locked rows are).
 * Own commits show at once, those of other processes after at most `refreshMs`.
 */
export class StockProjection {
  readonly #levels = new Map<number, Map<number, Level[]>>();
  readonly #pool: pg.Pool;
  #cursor = '0';
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  /** when the last refresh was complete, ms since epoch */
  refreshedAt = 0;

  constructor(pool: pg.Pool) { this.#pool = pool; }

  async open(refreshMs = 500): Promise<void> {
    const { rows: [at] } = await this.#pool.query<{ xmin: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text xmin');
    this.#cursor = at?.xmin ?? '0';
    const { rows } = await this.#pool.query<LevelRow & { expires: string | null; recalled: boolean }>(
      `select ${COLUMNS}, lots.recalled_at is not null recalled from stock_levels l join lots on lots.id = l.lot_id where ${SELLABLE}`);
    for (const row of rows) this.#put(row, row.expires, row.recalled);
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
    const { rows } = await this.#pool.query<LevelRow & { expires: string | null; recalled: boolean; xmin: string }>({
      name: 'projection_refresh',
      text: `with s as materialized (select pg_snapshot_xmin(pg_current_snapshot()) xmin),
        changed as materialized (select distinct level_id from stock_movements where xid >= $1::text::xid8 and xid < (select xmin from s))
        select s.xmin::text xmin, ${COLUMNS}, lots.recalled_at is not null recalled from s left join (changed join stock_levels l on l.id = changed.level_id
          and ${SELLABLE} join lots on lots.id = l.lot_id) on true`,
      values: [this.#cursor],
    });
    for (const row of rows) if (row.id !== null) this.#put(row, row.expires, row.recalled);
    this.#cursor = rows[0]?.xmin ?? this.#cursor;
    this.refreshedAt = Date.now();
  }

  #put(row: LevelRow, expires: string | null, recalled: boolean): void {
    let places = this.#levels.get(row.skuId);
    if (!places) this.#levels.set(row.skuId, (places = new Map()));
    const free = recalled ? 0 : Math.max(0, row.onHand - row.reserved - row.buffer);
    const levels = places.get(row.locationId);
    const known = levels?.find((l) => l.id === row.id);
    if (known) known.free = free;
    else if (levels) {
      levels.push({ id: row.id, free, expires });
      levels.sort((a, b) => ((a.expires ?? '9999') < (b.expires ?? '9999') ? -1 : 1));
    } else places.set(row.locationId, [{ id: row.id, free, expires }]);
  }

  /** A level as committed or locked by this process; what may not be sold (a recalled lot) has nothing free. Unknown ones come with the next refresh. */
  committed(row: { id: number; skuId: number; locationId: number; onHand: number; reserved: number; buffer: number; sellable: boolean }): void {
    const level = this.#levels.get(row.skuId)?.get(row.locationId)?.find((l) => l.id === row.id);
    if (level) level.free = row.sellable ? Math.max(0, row.onHand - row.reserved - row.buffer) : 0;
  }

  /** Reads levels again: after a rollback what was shown of them may be wrong. */
  async reread(levelIds: readonly number[]): Promise<void> {
    if (levelIds.length === 0) return;
    const { rows } = await this.#pool.query<LevelRow & { expires: string | null; recalled: boolean }>(
      `select ${COLUMNS}, lots.recalled_at is not null recalled from stock_levels l join lots on lots.id = l.lot_id where ${SELLABLE} and l.id = any($1::bigint[])`,
      [levelIds]);
    for (const row of rows) this.#put(row, row.expires, row.recalled);
  }

  /** Reads all levels of some SKUs again, new ones included. */
  async rereadSkus(client: pg.ClientBase, skuIds: readonly number[]): Promise<void> {
    const { rows } = await client.query<LevelRow & { expires: string | null; recalled: boolean }>({
      name: 'projection_skus',
      text: `select ${COLUMNS}, lots.recalled_at is not null recalled from stock_levels l join lots on lots.id = l.lot_id where ${SELLABLE} and l.sku_id = any($1::int[])`,
      values: [[...new Set(skuIds)]],
    });
    for (const row of rows) this.#put(row, row.expires, row.recalled);
  }

  /** Units that may be sold at a location; an arrow function because it is passed into first-fit. */
  readonly available = (skuId: number, locationId: number): number => {
    const levels = this.#levels.get(skuId)?.get(locationId);
    if (!levels) return 0;
    if (levels.length === 1) return (levels[0] as Level).free;
    let sum = 0;
    for (const level of levels) sum += level.free;
    return sum;
  };

  /** The levels to take units from, first-expired-first. */
  levelsOf(skuId: number, locationId: number): readonly { id: number; free: number }[] {
    return this.#levels.get(skuId)?.get(locationId) ?? [];
  }

  /** Where a SKU has units: location id → free units. */
  locationsOf(skuId: number): Map<number, number> {
    return new Map([...(this.#levels.get(skuId)?.keys() ?? [])].map((id) => [id, this.available(skuId, id)]));
  }
}
