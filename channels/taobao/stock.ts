import type { SeenStock, StockAnswer, StockPush } from '../channel.ts';
import { refusesThis } from '../caller.ts';
import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { allEnded } from '../steady.ts';
import type { TaobaoClient } from './client.ts';

type Listing = { itemId: string | null; platformSku: string };
/** Most items in one reading. */
const ITEMS = 40;
const ITEMS_ALONE = 20;
const BY_DIFFERENCE = '2';

const hasSkus = <T extends Listing>(l: T): boolean => l.itemId !== null && l.itemId !== l.platformSku;
const pages = <T>(all: readonly T[], size: number): T[][] => Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
const skusOf = (value: unknown): Bag[] => list(bag(value)['sku']).map(bag);

/** Stock of items with SKUs and of such without. Differences only, without a key: a full figure would give back what was sold on the way to us. */
export class TaobaoStock {
  readonly #client: TaobaoClient;
  /** items of which a common change was refused: it is not said which SKU was to blame, so theirs go one by one */
  readonly #alone = new Set<string>();

  constructor(client: TaobaoClient) {
    this.#client = client;
  }

  async read(listings: readonly Listing[]): Promise<SeenStock[]> {
    const wanted = new Set(listings.map((l) => l.platformSku));
    const ids = [...new Set(listings.filter(hasSkus).map((l) => l.itemId ?? ''))];
    const bare = listings.filter((l) => !hasSkus(l)).map((l) => l.platformSku);
    const read = await allEnded([
      ...pages(ids, ITEMS).map((page) => this.#ask(page, (p) => this.#client.call('taobao.item.skus.get', { fields: 'sku_id,num_iid,quantity,with_hold_quantity', num_iids: p.join(',') }, 'item')).then((answers) => answers.flatMap((a) => skusOf(a['skus'])))),
      ...pages(bare, ITEMS_ALONE).map((page) => this.#ask(page, (p) => this.#client.call('taobao.items.seller.list.get', { fields: 'num_iid,num,with_hold_quantity', num_iids: p.join(',') }, 'item')).then((answers) => answers.flatMap((a) => list(bag(a['items'])['item']).map(bag)))),
    ]);
    return read.flat().flatMap((found) => {
      const platformSku = text(found['sku_id']) ?? text(found['num_iid']);
      const quantity = whole(found['quantity']) ?? whole(found['num']);
      // Where stock falls with the payment, ordered and unpaid units are still in its figure.
      const held = whole(found['with_hold_quantity']) ?? 0;
      return platformSku === null || quantity === null || !wanted.has(platformSku) ? [] : [{ platformSku, sellable: Math.max(0, quantity - held), held }];
    });
  }

  /** One item that is gone must not hide the others. */
  async #ask(page: readonly string[], run: (page: readonly string[]) => Promise<Bag>): Promise<Bag[]> {
    try {
      return [await run(page)];
    } catch (error) {
      if (!refusesThis(error)) throw error;
      return page.length === 1 ? [] : (await allEnded(page.map((one) => this.#ask([one], run)))).flat();
    }
  }

  async push(pushes: readonly StockPush[]): Promise<StockAnswer[]> {
    const groups = new Map<string, StockPush[]>();
    for (const p of pushes) {
      if (p.delta === 0) continue;
      const key = hasSkus(p) && !this.#alone.has(p.itemId ?? '') ? p.itemId ?? '' : `${p.itemId ?? ''}/${p.platformSku}`;
      groups.set(key, [...groups.get(key) ?? [], p]);
    }
    const answers = new Map((await allEnded([...groups.values()].map((group) => this.#change(group)))).flatMap((m) => [...m]));
    return pushes.map((p) => answers.get(p) ?? { outcome: 'done' });
  }

  async #change(group: readonly StockPush[]): Promise<Map<StockPush, StockAnswer>> {
    const itemId = group[0]?.itemId ?? group[0]?.platformSku ?? '';
    try {
      const skus = group.every(hasSkus);
      const answer = skus ? await this.#client.call('taobao.skus.quantity.update', { num_iid: itemId, type: BY_DIFFERENCE, skuid_quantities: group.map((p) => `${p.platformSku}:${p.delta}`).join(';') }, 'item')
        : await this.#client.call('taobao.item.quantity.update', { num_iid: itemId, type: BY_DIFFERENCE, quantity: String(group[0]?.delta ?? 0) }, 'item');
      const item = bag(answer['item']);
      const left = (p: StockPush): number | null => whole(skus ? skusOf(item['skus']).find((x) => text(x['sku_id']) === p.platformSku)?.['quantity'] : item['num']);
      // It goes down to nothing and no further, and says nothing of what it could not take off: what is there now is read.
      return new Map(group.map((p) => [p, { outcome: p.delta < 0 && left(p) === 0 ? 'stale' : 'done' }]));
    } catch (error) {
      if (!refusesThis(error)) throw error;
      if (group.length === 1) return new Map(group.map((p) => [p, { outcome: 'refused', reason: error.message }]));
      // Nobody says whether a part of it was done: their figures are read, and the next time each goes alone.
      this.#alone.add(itemId);
      return new Map(group.map((p) => [p, { outcome: 'stale' }]));
    }
  }
}
