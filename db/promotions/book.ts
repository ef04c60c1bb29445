import type pg from 'pg';
import type { Promotion, PromotionInput } from '../../domain/promotion/model.ts';

type Row = {
  id: string; version: number; input: PromotionInput; channels: string[] | null; categories: string[]; from: Date; until: Date; priority: number; stackable: boolean;
  pco: number | null; pcu: number | null; psu: number | null; budget: number | null; pool: string | null; skus: [code: string, price: number | null, floor: number | null][] | null;
};
export type ListPrice = { price: number; floor: number | null };

const PRICES_KEPT = 200_000;
const NO_PROMOTIONS: readonly Promotion[] = [];

/**
 * Promotions that are live or will be, as one process knows them: read whole at every change, like the network. Whether one is live is asked with a moment; what has changed since is found out by the capture
 * that uses it, which compares versions in its transaction. List prices are read on first use.
 */
export class PromotionBook {
  matrix: ReadonlySet<string> = new Set();
  byId = new Map<string, Promotion>();
  #general: readonly Promotion[] = NO_PROMOTIONS;
  #bySku = new Map<string, Promotion[]>();
  #byCategory = new Map<string, Promotion[]>();
  /** channels that a gift names: their orders get it whoever prices them */
  #giftChannels = new Set<string>();
  #prices = new Map<string, ListPrice | null>();
  #reading: Promise<void> | null = null;
  #again = false;
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) { this.#pool = pool; }

  /** Reads everything again; calls that arrive meanwhile share one more reading. */
  async reload(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = (async () => {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#again);
    })().finally(() => { this.#reading = null; });
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { rows } = await this.#pool.query<Row>(
      `select p.id, p.version, p.input, (select array_agg(code) from channels c where c.id = any(p.channel_ids)) channels, p.categories, p.live_from "from", least(p.live_until, coalesce(p.ended_at, p.live_until)) until,
         p.priority, p.stackable, p.per_customer_orders pco, p.per_customer_units pcu, p.per_staff_units psu, p.budget, p.campaign_id::text || '/' || p.stage pool,
         (select jsonb_agg(jsonb_build_array(k.code, s.price, s.floor)) from promotion_skus s join skus k on k.id = s.sku_id where s.promotion_id = p.id) skus
       from promotions p where p.status = 'active' and least(p.live_until, coalesce(p.ended_at, p.live_until)) > now() - interval '1 year' order by p.id`);
    const conflicts = await this.#pool.query<{ a: string; b: string }>('select kind_a a, kind_b b from promotion_conflicts');
    this.matrix = new Set(conflicts.rows.map((r) => `${r.a}|${r.b}`));
    const all = rows.map(promotionOf);
    this.byId = new Map(all.map((p) => [p.id, p]));
    this.#general = all.filter((p) => p.skus.size === 0 && p.categories.size === 0);
    this.#bySku = new Map();
    this.#byCategory = new Map();
    for (const p of all) {
      for (const sku of p.skus.keys()) this.#bySku.set(sku, [...this.#bySku.get(sku) ?? [], p]);
      for (const category of p.categories) this.#byCategory.set(category, [...this.#byCategory.get(category) ?? [], p]);
    }
    this.#giftChannels = new Set(all.flatMap((p) => (p.kind === 'gift' && p.channels !== null ? [...p.channels] : [])));
    this.#prices.clear();
  }

  /** Whether orders of a channel whose prices are facts may get gifts. */
  hasGifts(channel: string): boolean { return this.#giftChannels.has(channel); }

  /** Those whose window holds the moment and whose scope some line is in. */
  candidates(at: number, lines: readonly { sku: string; category: string | null }[]): Promotion[] {
    const found = new Set(this.#general);
    for (const { sku, category } of lines) {
      for (const p of this.#bySku.get(sku) ?? NO_PROMOTIONS) found.add(p);
      if (category !== null) for (const p of this.#byCategory.get(category) ?? NO_PROMOTIONS) found.add(p);
    }
    return [...found].filter((p) => p.from <= at && at < p.until);
  }

  /** List prices by SKU, of those that the price book has: a channel's own goes before that of all. */
  async prices(channelId: number, currency: string, skus: readonly { id: number; code: string }[]): Promise<Map<string, ListPrice>> {
    const key = (id: number): string => `${channelId}|${currency}|${id}`;
    const kept = this.#prices;
    const missing = skus.filter((s) => !kept.has(key(s.id)));
    const read = new Map<number, ListPrice>();
    if (missing.length > 0) {
      const { rows } = await this.#pool.query<ListPrice & { id: number }>({
        name: 'list_prices',
        text: `select distinct on (sku_id) sku_id id, price, floor from sku_prices where sku_id = any($1::int[]) and currency = $2 and (channel_id = $3 or channel_id is null) order by sku_id, channel_id nulls last`,
        values: [missing.map((s) => s.id), currency, channelId],
      });
      for (const { id, price, floor } of rows) read.set(id, { price, floor });
      if (kept.size > PRICES_KEPT) kept.clear();
      for (const s of missing) kept.set(key(s.id), read.get(s.id) ?? null);
    }
    return new Map(skus.flatMap((s) => {
      const found = read.get(s.id) ?? kept.get(key(s.id));
      return found ? [[s.code, found] as const] : [];
    }));
  }
}

function promotionOf(r: Row): Promotion {
  const { kind, terms, code, name, currency, bearer } = r.input;
  return {
    ...({ kind, terms } as Pick<Promotion, 'kind' | 'terms'>), id: r.id, code, name, currency, version: r.version, bearer, channels: r.channels && new Set(r.channels),
    skus: new Map((r.skus ?? []).map(([sku, price, floor]) => [sku, { price, floor }])), categories: new Set(r.categories), from: r.from.getTime(), until: r.until.getTime(),
    priority: r.priority, stackable: r.stackable, perCustomerOrders: r.pco, perCustomerUnits: r.pcu, perStaffUnits: r.psu, budget: r.budget, pool: r.pool,
  } as Promotion;
}
