import { refusesThis } from '../caller.ts';
import type { SeenStock, StockAnswer, StockPush } from '../channel.ts';
import { bag, whole, type Bag } from '../safe-json.ts';
import type { DouyinClient } from './client.ts';

/** "idempotent_id has been executed": the earlier call succeeded. */
const DONE_BEFORE = /:40010$/;
/** sku_type: its stock is that of warehouses. */
const REGIONAL = 1;

/** Figures of SKUs, common ones and regional ones; of those the warehouse of the shop's settings is told and read. */
export class DouyinStock {
  readonly #client: DouyinClient;
  readonly #warehouseId: string | undefined;
  /** as they were last read */
  readonly #regional = new Map<string, boolean>();

  constructor(client: DouyinClient, warehouseId: string | undefined) {
    this.#client = client;
    this.#warehouseId = warehouseId;
  }

  async #ask(platformSku: string): Promise<Bag> {
    const data = await this.#client.call('/sku/stockNum', { sku_id: platformSku }, 'stock');
    this.#regional.set(platformSku, whole(data['sku_type']) === REGIONAL);
    return data;
  }

  read(listings: readonly { platformSku: string }[]): Promise<SeenStock[]> {
    return Promise.all(listings.map(async ({ platformSku }): Promise<SeenStock[]> => {
      try {
        const data = await this.#ask(platformSku);
        const regional = this.#regional.get(platformSku) === true;
        // One that is regional in a shop without a warehouse is not ours to tell: nothing can be taken off.
        const of = (map: unknown): number => (this.#warehouseId === undefined ? Object.values(bag(map)).reduce<number>((sum, n) => sum + (whole(n) ?? 0), 0) : whole(bag(map)[this.#warehouseId]) ?? 0);
        const loose = regional ? of(data['stock_num_map']) : whole(data['normal_stock_num']) ?? whole(data['stock_num']) ?? 0;
        // What it can still sell: free units, those locked to a campaign, those kept for one livestreamer. Pre-held ones are off already.
        const sellable = loose + (whole(data['prom_stock_num']) ?? 0) + (whole(data['channel_stock_num']) ?? 0);
        return [{ platformSku, sellable, held: regional ? of(data['prehold_stock_map']) : whole(data['prehold_stock_num']) ?? 0, loose: regional && this.#warehouseId === undefined ? 0 : loose }];
      } catch (error) {
        if (refusesThis(error)) return [];
        throw error;
      }
    })).then((all) => all.flat());
  }

  /** Deltas under a key: a full figure would give back what is pre-held and sold on the way to us. */
  push(pushes: readonly StockPush[]): Promise<StockAnswer[]> {
    return Promise.all(pushes.map(async ({ itemId, platformSku, delta, key }): Promise<StockAnswer> => {
      if (delta === 0) return { outcome: 'done' };
      try {
        if (this.#warehouseId !== undefined && !this.#regional.has(platformSku)) await this.#ask(platformSku);
        await this.#client.call('/sku/syncStock', {
          ...(itemId === null ? {} : { product_id: itemId }), sku_id: platformSku, ...(this.#regional.get(platformSku) === true && this.#warehouseId !== undefined ? { out_warehouse_id: this.#warehouseId } : {}),
          incremental: true, idempotent_id: key, stock_num: delta,
        }, 'stock');
        return { outcome: 'done' };
      } catch (error) {
        if (!refusesThis(error)) throw error;
        return DONE_BEFORE.test(error.code) ? { outcome: 'done' } : { outcome: 'refused', reason: error.message };
      }
    }));
  }
}
