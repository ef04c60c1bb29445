import { PartnerRefused } from '../../domain/http-port.ts';
import type { Call, ChangedOrder, ChannelConnector, ChannelIo, SeenStock, Shop, StockAnswer, StockPush } from '../channel.ts';
import { lastToFirst } from '../last-to-first.ts';
import { bag, list, parseSafe, text, whole } from '../safe-json.ts';
import { allEnded } from '../steady.ts';
import { mapOrder } from './map.ts';
import { receive } from './push.ts';
import type { WooSettings } from './settings.ts';

const PAGE = 100;
/** Pages of what is in the bin: WordPress' "any" leaves it out. */
const BIN = 'trash/';
const NO_SUCH = /_invalid_id$/;
type Product = { itemId: string | null; platformSku: string };

/** A WooCommerce shop (REST API v3, Basic authentication). */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as WooSettings;
  const authorization = `Basic ${Buffer.from(`${shop.secrets['consumerKey'] ?? ''}:${shop.secrets['consumerSecret'] ?? ''}`).toString('base64')}`;

  /** Null: there is no such thing. */
  async function call(family: string, method: Call['method'], path: string, body?: unknown): Promise<{ body: unknown; headers: Readonly<Record<string, string>> } | null> {
    const answer = await io.call({
      family, method, url: `${s.baseUrl}/wp-json/wc/v3${path}`, headers: { authorization, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    let read: unknown;
    try {
      read = parseSafe(answer.text);
    } catch {
      throw new PartnerRefused(answer.status, `${shop.code} did not answer ${method} ${path} in JSON: is ${s.baseUrl} the shop?`);
    }
    // Any other 404 says that the shop's API is not there, and nothing of the thing itself.
    if (answer.status === 404 && NO_SUCH.test(text(bag(read)['code']) ?? '')) return null;
    if (answer.status >= 300) throw new PartnerRefused(answer.status, `${shop.code} answered ${answer.status}: ${text(bag(read)['message']) ?? text(bag(read)['code']) ?? ''}`);
    return { body: read, headers: answer.headers };
  }
  const must = async (...args: Parameters<typeof call>): Promise<unknown> => {
    const answer = await call(...args);
    if (!answer) throw new PartnerRefused(404, `${shop.code} does not have ${args[2]}`);
    return answer.body;
  };

  /** Products of one parent are read and set together: variations stand under their product. */
  function byParent<T extends Product>(products: readonly T[]): [string, T[]][] {
    const groups = new Map<string, T[]>();
    for (const p of products) {
      const path = p.itemId === null || p.itemId === p.platformSku ? '/products' : `/products/${encodeURIComponent(p.itemId)}/variations`;
      groups.set(path, [...groups.get(path) ?? [], p]);
    }
    return [...groups];
  }

  async function setStock(path: string, pushes: readonly StockPush[]): Promise<Map<StockPush, StockAnswer>> {
    const answer = await call('stock', 'POST', `${path}/batch`, { update: pushes.map((p) => ({ id: whole(p.platformSku) ?? p.platformSku, manage_stock: true, stock_quantity: p.target })) });
    const updated = list(bag(answer?.body)['update']).map(bag);
    return new Map(pushes.map((p) => {
      const found = updated.find((u) => text(u['id']) === p.platformSku);
      const error = bag(found?.['error']);
      return [p, found && text(error['code']) === null ? { outcome: 'done' } : { outcome: 'refused', reason: text(error['message']) ?? 'the shop has no such product' }];
    }));
  }

  async function changed(from: number, to: number, status: 'any' | 'trash', at: number): Promise<{ orders: ChangedOrder[]; total: number }> {
    // Whole seconds, and neither end is of the window itself: a second more on each side, so that none falls between two windows.
    const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
    const query = new URLSearchParams({ modified_after: iso(from - 1000), modified_before: iso(to + 1000), dates_are_gmt: 'true', orderby: 'modified', order: 'asc', status, page: String(at), per_page: String(PAGE) });
    const answer = await call('order', 'GET', `/orders?${query.toString()}`).catch((error: unknown) => {
      // Older shops do not list their bin.
      if (status !== 'trash' || !(error instanceof PartnerRefused) || error.status !== 400) throw error;
      return null;
    });
    const orders = list(answer?.body).map(bag).flatMap((o) => {
      const externalId = text(o['id']);
      // An order may go into the bin without a new time: it is read whatever was known of it.
      return externalId === null ? [] : [{ externalId, version: status === 'trash' ? null : Date.parse(`${text(o['date_modified_gmt']) ?? ''}Z`) || null }];
    });
    return { orders, total: PAGE * (whole(answer?.headers['x-wp-totalpages']) ?? 0) };
  }

  return {
    receive: (push) => receive(push, shop.secrets['webhookSecret'] ?? ''),

    async fetchOrder(externalId) {
      const answer = await call('order', 'GET', `/orders/${encodeURIComponent(externalId)}`);
      if (!answer) return null;
      const order = bag(answer.body);
      const refunds = list(order['refunds']).length === 0 ? [] : list(await must('order', 'GET', `/orders/${encodeURIComponent(externalId)}/refunds?per_page=${PAGE}`)).map(bag);
      return mapOrder(order, refunds);
    },

    /** Orders, then those in the bin. */
    async changedOrders({ from, to }, page) {
      const binned = page?.startsWith(BIN) === true;
      const { orders, next } = await lastToFirst(binned ? page.slice(BIN.length) : page, PAGE, (at) => changed(from, to, binned ? 'trash' : 'any', at));
      return { orders, next: binned ? next && `${BIN}${next}` : next ?? `${BIN}1` };
    },

    async readStock(listings) {
      const read = await Promise.all(byParent(listings).map(async ([path, products]): Promise<SeenStock[]> => {
        const answer = await call('stock', 'GET', `${path}?include=${products.map((p) => encodeURIComponent(p.platformSku)).join(',')}&per_page=${PAGE}`);
        return list(answer?.body).map(bag).flatMap((p) => {
          const sellable = whole(p['stock_quantity']);
          const platformSku = text(p['id']);
          return platformSku === null || sellable === null ? [] : [{ platformSku, sellable: Math.max(0, sellable), held: 0 }];
        });
      }));
      return read.flat();
    },

    async pushStock(pushes) {
      const answers = new Map((await allEnded(byParent(pushes).map(([path, of]) => setStock(path, of)))).flatMap((m) => [...m]));
      return pushes.map((p) => answers.get(p) ?? { outcome: 'refused', reason: 'not answered' });
    },

    /** A parcel is a note to the customer, once per number; with the last one the order is completed. */
    async reportShipment({ externalId, carrier, waybillNo, last, parcels }) {
      const path = `/orders/${encodeURIComponent(externalId)}`;
      const noted = list(await must('shipment', 'GET', `${path}/notes`)).map((n) => text(bag(n)['note']) ?? '');
      for (const p of parcels.some((x) => x.waybillNo === waybillNo) ? parcels : [...parcels, { carrier, waybillNo }]) {
        if (noted.some((n) => n.includes(p.waybillNo))) continue;
        await must('shipment', 'POST', `${path}/notes`, { note: s.parcelNote.replace('{carrier}', s.carriers[p.carrier] ?? p.carrier).replace('{waybillNo}', p.waybillNo), customer_note: true });
      }
      if (last && text(bag(await must('shipment', 'GET', path))['status']) !== 'completed') await must('shipment', 'PUT', path, { status: 'completed' });
    },

    async cancelOrder(externalId, reason) {
      const path = `/orders/${encodeURIComponent(externalId)}`;
      if (text(bag(await must('order', 'GET', path))['status']) === 'cancelled') return;
      await must('order', 'PUT', path, { status: 'cancelled' });
      await must('order', 'POST', `${path}/notes`, { note: reason.slice(0, 500), customer_note: false });
    },
  };
}
