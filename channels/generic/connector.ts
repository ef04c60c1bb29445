import { PartnerRefused } from '../../domain/http-port.ts';
import { jsonReply, type ChannelConnector, type ChannelIo, type Push, type Received, type Shop } from '../channel.ts';
import { list, parseSafe, text, whole } from '../safe-json.ts';
import { allEnded } from '../steady.ts';
import { OrderMapper } from './map.ts';
import { compilePath, fill } from './path.ts';
import type { GenericSettings } from './settings.ts';
import { standardWebhook } from './signature.ts';

/** A shop system by its settings alone. Every call carries what the settings say; answers are read where they say. */
export function connect(shop: Shop, io: ChannelIo): ChannelConnector {
  const s = shop.settings as unknown as GenericSettings;
  const mapper = new OrderMapper(s, shop.currency, () => io.now());
  const headers = Object.fromEntries(Object.entries(s.headers ?? { authorization: 'Bearer {apiKey}' }).map(([name, value]) => [name.toLowerCase(), value.replace('{apiKey}', shop.secrets['apiKey'] ?? '')]));

  async function call(family: string, request: { url: string; method?: 'GET' | 'POST' | 'PUT' | 'DELETE'; body?: unknown }, values: Readonly<Record<string, unknown>>, missing: 'null' | 'refuse' = 'refuse'): Promise<unknown> {
    const method = request.method ?? (request.body === undefined ? 'GET' : 'POST');
    const answer = await io.call({
      family, method, url: s.baseUrl + String(fill(request.url, values, true)), headers: { accept: 'application/json', ...headers, ...(request.body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(request.body === undefined ? {} : { body: JSON.stringify(fill(request.body, values)) }),
    });
    if (answer.status === 404 && missing === 'null') return null;
    if (answer.status >= 300) throw new PartnerRefused(answer.status, `${shop.code} answered ${answer.status} for ${method} ${request.url}: ${answer.text.slice(0, 200)}`);
    try {
      return answer.text === '' ? {} : parseSafe(answer.text);
    } catch {
      throw new PartnerRefused(answer.status, `${shop.code} did not answer ${request.url} in JSON`);
    }
  }

  const write = s.times === 'iso' ? (ms: number): unknown => new Date(ms).toISOString() : (ms: number): unknown => (s.times === 's' ? Math.floor(ms / 1000) : ms);
  const { stock, readStock, shipment, addressAnswer, afterSaleAnswer, cancel } = s;
  return {
    receive(push: Push): Received {
      const secret = shop.secrets['webhookSecret'];
      if (push.method !== 'POST') return { kind: 'rejected', reason: 'malformed', reply: jsonReply(405, { error: 'POST a signed event' }) };
      const verdict = secret === undefined ? 'signature' : standardWebhook(secret, push);
      if (verdict !== 'good') return { kind: 'rejected', reason: verdict, reply: jsonReply(401, { error: verdict }) };
      let body: unknown;
      try {
        body = parseSafe(push.body.toString('utf8'));
      } catch {
        return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { error: 'no JSON' }) };
      }
      const read = (name: string): unknown => { const path = s.push?.[name]; return path === undefined ? undefined : compilePath(path)(body); };
      const externalId = text(read('orderId'));
      const topic = text(read('topic')) ?? 'event';
      if (externalId === null) return { kind: 'probe', reply: jsonReply(200, { ok: true, ignored: 'no order is named' }) };
      const version = read('version') === undefined ? null : mapper.version(read('version'));
      return {
        kind: 'hints', reply: jsonReply(200, { ok: true }), failed: jsonReply(503, { ok: false }),
        hints: [{ subject: 'order', topic, externalId, key: `${topic}:${externalId}:${version ?? push.headers['webhook-id'] ?? ''}`, version }],
      };
    },
    async fetchOrder(externalId) {
      const answer = await call('order', s.fetch, { id: externalId }, 'null');
      return answer === null ? null : mapper.order(s.fetch.root === undefined ? answer : compilePath(s.fetch.root)(answer));
    },
    async changedOrders({ from, to }, page) {
      if (!s.list) return { orders: [], next: null };
      const answer = await call('order', s.list, { from: write(from), to: write(to), page: page ?? s.list.firstPage ?? '' });
      const { items = '$.items', id = '$.id', version, next } = s.list;
      const following = next === undefined ? null : text(compilePath(next)(answer));
      return {
        orders: list(compilePath(items)(answer)).flatMap((item) => { const externalId = text(compilePath(id)(item)); return externalId === null ? [] : [{ externalId, version: version === undefined ? null : mapper.version(compilePath(version)(item)) }]; }),
        next: following === page ? null : following,
      };
    },
    ...(readStock === undefined ? {} : {
      readStock: (listings) => Promise.all(listings.map(async ({ platformSku, itemId }) => {
        const answer = await call('stock', readStock, { sku: platformSku, itemId }, 'null');
        const sellable = answer === null ? null : whole(compilePath(readStock.sellable ?? '$.sellable')(answer));
        return sellable === null ? [] : [{ platformSku, sellable, held: 0 }];
      })).then((all) => all.flat()),
    }),
    ...(stock === undefined ? {} : {
      pushStock: (pushes) => allEnded(pushes.map(async ({ platformSku, itemId, target, delta, key }) => {
        try {
          await call('stock', { method: 'PUT', ...stock }, { sku: platformSku, itemId, quantity: target, change: delta, key });
          return { outcome: 'done' as const };
        } catch (error) {
          if (error instanceof PartnerRefused && !error.account) return { outcome: 'refused' as const, reason: error.message };
          throw error;
        }
      })),
    }),
    ...(shipment === undefined ? {} : {
      async reportShipment(report) {
        const lines = report.lines.map((l) => fill(shipment.line ?? { lineId: '{lineId}', quantity: '{quantity}' }, l));
        await call('shipment', { method: 'POST', ...shipment }, { id: report.externalId, carrier: s.carriers[report.carrier] ?? report.carrier, waybillNo: report.waybillNo, key: report.key, last: report.last, lines });
      },
    }),
    ...(addressAnswer === undefined ? {} : { async answerAddressChange(id, approved, key) { await call('order', { method: 'POST', ...addressAnswer }, { id, approved, key }); } }),
    ...(afterSaleAnswer === undefined ? {} : {
      async answerAfterSale(id, afterSaleId, { approved, reason }, key) { await call('after_sale', { method: 'POST', ...afterSaleAnswer }, { id, afterSaleId, approved, reason, key }); },
    }),
    ...(cancel === undefined ? {} : { async cancelOrder(id, reason, key) { await call('order', { method: 'POST', ...cancel }, { id, reason, key }); } }),
  };
}
