import type pg from 'pg';

export type Sku = { id: number; code: string; name: string; category: string | null; weightG: number; cost: number | null; lotTracked: boolean; active: boolean; volumeMm3: number | null; hazardous: boolean; oversized: boolean };

export const SKU_COLUMNS = 'id, code, name, category, weight_g "weightG", cost, lot_tracked "lotTracked", active, volume_mm3 "volumeMm3", hazardous, oversized';
const MOST = 200_000;

/** SKUs as one process knows them: read on first use, and read again when they have changed. */
export class SkuBook {
  readonly #pool: pg.Pool;
  readonly #byCode = new Map<string, Sku>();
  readonly #byId = new Map<number, Sku>();
  #changed = false;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  code(code: string): Sku | undefined { return this.#byCode.get(code); }
  id(id: number): Sku | undefined { return this.#byId.get(id); }

  /** Reads those of the codes that are not known yet; codes that do not exist stay unknown. */
  async load(codes: Iterable<string>): Promise<void> {
    const missing = [...new Set(codes)].filter((code) => !this.#byCode.has(code));
    if (missing.length > 0) this.#keep(await this.#query('code = any($1::text[])', missing));
  }

  async byId(ids: Iterable<number>): Promise<Map<number, Sku>> {
    const wanted = [...new Set(ids)];
    const missing = wanted.filter((id) => !this.#byId.has(id));
    const found = missing.length > 0 ? await this.#query('id = any($1::int[])', missing) : [];
    this.#keep(found);
    const all = new Map(found.map((s) => [s.id, s]));
    return new Map(wanted.flatMap((id) => { const sku = all.get(id) ?? this.#byId.get(id); return sku ? [[id, sku] as const] : []; }));
  }

  /** What is known is old: `refresh` reads it again. */
  outdated(): void { this.#changed = true; }

  /** Known SKUs are replaced, never forgotten: somebody may be about to ask for what he has just loaded. */
  async refresh(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false; // a change that comes from here on is read once more
    const known = [...this.#byId.keys()];
    const fresh = known.length > 0 ? await this.#query('id = any($1::int[])', known).catch((error: unknown) => {
      this.#changed = true;
      throw error;
    }) : [];
    const left = new Set(fresh.map((s) => s.id));
    for (const id of known) {
      const sku = this.#byId.get(id);
      if (left.has(id) || !sku) continue;
      this.#byId.delete(id);
      this.#byCode.delete(sku.code);
    }
    this.#keep(fresh);
  }

  async #query(where: string, values: readonly (string | number)[]): Promise<Sku[]> {
    return (await this.#pool.query<Sku>(`select ${SKU_COLUMNS} from skus where ${where}`, [values])).rows;
  }

  #keep(skus: readonly Sku[]): void {
    if (this.#byCode.size > MOST) {
      this.#byCode.clear();
      this.#byId.clear();
    }
    for (const sku of skus) {
      this.#byCode.set(sku.code, sku);
      this.#byId.set(sku.id, sku);
    }
  }
}
