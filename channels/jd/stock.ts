import type { SeenStock, StockAnswer, StockPush } from '../channel.ts';
import { refusesThis } from '../caller.ts';
import { bag, list, long, text, whole } from '../safe-json.ts';
import { allEnded } from '../steady.ts';
import type { JdClient } from './client.ts';
import type { JdSettings } from './settings.ts';

/** What is there, less what orders (paid or not) and transfers hold of it. */
export async function readStock(client: JdClient, s: JdSettings, listings: readonly { platformSku: string }[]): Promise<SeenStock[]> {
  const read = await allEnded(listings.map(async ({ platformSku }): Promise<SeenStock[]> => {
    const found = await client.call('jingdong.ware.stock.sku.query', { skuId: long(platformSku), stockModel: s.stockModel }, 'stock', 'returnType').catch((error: unknown) => {
      if (refusesThis(error)) return null;
      throw error;
    });
    const store = list(bag(found?.['obj'])['skuStockInfos']).map(bag).find((i) => (whole(i['storeId']) ?? 0) === s.storeId);
    const there = whole(store?.['stockNum']);
    if (!store || there === null) return [];
    const held = whole(store['appBookingNum']) ?? 0;
    return [{ platformSku, sellable: Math.max(0, there - held - (whole(store['orderBookingNum']) ?? 0) - (whole(store['orderTransferNum']) ?? 0)), held }];
  }));
  return read.flat();
}

/**
 * Adds to the stock, several SKUs in one call, each with an answer of its own: a full figure would take no account of what is held. The number of the business (stockRfId) is told, but nobody says that JD does a
 * thing once for it: what was not answered is read back.
 */
export async function pushStock(client: JdClient, s: JdSettings, pushes: readonly StockPush[]): Promise<StockAnswer[]> {
  const changes = pushes.filter((p) => p.delta !== 0);
  const [first] = changes;
  if (!first) return pushes.map(() => ({ outcome: 'done' }));
  const skuStocks = changes.map((p) => ({ skuId: long(p.platformSku), incrStockNum: p.delta, storeId: s.storeId, stockModel: s.stockModel }));
  const found = await client.call('jingdong.ware.stock.sku.set', { req: { updateModel: s.updateModel, stockRfId: first.key, skuStocks } }, 'stock', 'returnType');
  const results = list(bag(found['obj'])['updateStockResult']).map(bag);
  return pushes.map((p): StockAnswer => {
    if (p.delta === 0) return { outcome: 'done' };
    const result = results.find((r) => text(r['data']) === p.platformSku);
    // Whether one that is not named was done nobody knows: its figure is read.
    if (!result) return { outcome: 'stale' };
    return result['success'] === true ? { outcome: 'done' } : { outcome: 'refused', reason: text(result['message']) ?? 'JD did not take it' };
  });
}
