import { createHmac, createPrivateKey, randomUUID, sign } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { Order } from '../platform/order.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';

const PAGE = 50;
const iso = (ms: number): string => new Date(ms).toISOString();
/** Decimal text of minor units, as many shop systems write money. */
const decimal = (minor: number): string => `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;

/** An order as this shop system shows it; ids are bare JSON numbers beyond 2^53, so the text is written by hand. */
function show(order: Order): string {
  const body = {
    id: `@${order.id}`, state: order.status, updated: iso(order.updatedAt), created: iso(order.createdAt), paid: order.paidAt === null ? null : iso(order.paidAt), currency: order.currency,
    customer: { id: order.buyerId }, receiver: order.address, wished_receiver: order.wantedAddress, shipping_fee: decimal(order.freight), discount: decimal(order.discount), note: order.remark, session: order.session,
    fulfilled_by: order.fulfilledBy,
    items: order.lines.map((l) => ({ id: `@${l.lineId}`, item: l.itemId, sku: l.sku, code: l.merchantCode, name: l.title, qty: l.quantity, cancelled: l.cancelled, price: decimal(l.unitPrice) })),
    shipments: order.parcels.map((p) => ({ carrier: p.carrier, number: p.number })),
    claims: order.afterSales.map((a) => ({ id: `@${a.id}`, type: a.kind, state: a.status, reason: a.reason, updated: iso(a.updatedAt), amount: decimal(a.amount), items: a.lines.map((l) => ({ id: `@${l.lineId}`, qty: l.quantity })) })),
  };
  return JSON.stringify(body).replace(/"@(\d+)"/g, '$1');
}

/** Standard Webhooks (https://www.standardwebhooks.com): id, timestamp and body joined by dots. */
function signature(secret: string, id: string, at: number, body: string): string {
  if (secret.startsWith('whsk_')) {
    // An ed25519 seed, its public half after it; PKCS #8 around the seed.
    const seed = Buffer.from(secret.slice('whsk_'.length), 'base64').subarray(0, 32);
    const key = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' });
    return `v1a,${sign(null, Buffer.from(`${id}.${at}.${body}`), key).toString('base64')}`;
  }
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`;
}

function problem(reply: FastifyReply, error: unknown): FastifyReply {
  if (!(error instanceof ShopError)) throw error;
  return reply.code(error.code === 'no_order' || error.code === 'no_item' || error.code === 'no_after_sale' ? 404 : 409).send({ error: error.code, message: error.message });
}

/** An own shop system with a JSON API: Bearer keys, ISO times, decimal money, Standard Webhooks, stock set per SKU. */
export const genericShop: Protocol = {
  restores: 'cancelled', batch: 1, deadlineMs: 5_000, retries: [5_000, 60_000, 300_000],
  acknowledged: (status) => status >= 200 && status < 300,

  push([event], { settings, clock }, { bad, at }) {
    const order = event?.order;
    if (!event || !order) return null;
    const body = `{"type":"order.${event.kind}","data":{"order_id":${order.id},"updated":"${iso(order.updatedAt)}"}}`;
    const id = `msg_${randomUUID()}`;
    const seconds = Math.floor((at ?? clock()) / 1000);
    // `signingKey`: a key of its own, of which the customer has the public half.
    const own = settings['signingKey'];
    const guessed = `${own === undefined ? 'whsec_' : 'whsk_'}${Buffer.alloc(32, 1).toString('base64')}`;
    const secret = bad === 'forged' ? guessed : String(own ?? settings['webhookSecret']);
    return {
      method: 'POST', query: '', headers: { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature(secret, id, seconds, body) },
      body: bad === 'truncated' ? body.slice(0, -10) : body,
    };
  },

  routes(app, platform: Platform) {
    const { shop, settings } = platform;
    type Params = { id: string; sku: string; claim: string };
    const json = <T>(request: FastifyRequest): T => JSON.parse((request.body as Buffer).toString('utf8')) as T;
    const answer = (writes: boolean, run: (request: FastifyRequest<{ Params: Params; Querystring: Record<string, string> }>, reply: FastifyReply) => unknown) =>
      async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
        if (request.headers.authorization !== `Bearer ${String(settings['apiKey'])}`) return reply.code(401).send({ error: 'key' });
        return underFaults<unknown>(platform, writes, {
          down: () => reply.code(503).send({ error: 'down' }), throttled: () => reply.code(429).header('retry-after', '1').send({ error: 'too many' }), error: () => reply.code(500).send({ error: 'internal' }),
        }, async () => {
          try {
            return await run(request as FastifyRequest<{ Params: Params; Querystring: Record<string, string> }>, reply);
          } catch (error) {
            return problem(reply, error);
          }
        });
      };
    const text = (reply: FastifyReply, body: string): FastifyReply => reply.header('content-type', 'application/json').send(body);
    app.get('/orders/:id', answer(false, (request, reply) => text(reply, `{"order":${show(shop.order(request.params.id))}}`)));
    app.get('/orders', answer(false, (request, reply) => {
      const { from, to, page } = request.query;
      const all = shop.changed(Date.parse(from ?? ''), Date.parse(to ?? ''));
      const at = Number(page === undefined || page === '' ? 0 : page);
      const part = all.slice(at, at + PAGE);
      return text(reply, `{"orders":[${part.map((o) => `{"id":${o.id},"updated":"${iso(o.updatedAt)}"}`).join(',')}],"next":${at + PAGE < all.length ? `"${at + PAGE}"` : 'null'}}`);
    }));
    app.get('/stock/:sku', answer(false, (request) => ({ sku: request.params.sku, sellable: shop.item(request.params.sku).stock })));
    app.put('/stock/:sku', answer(true, (request) => {
      const { quantity, change, key } = json<{ quantity: number; change: number; key: string }>(request);
      // With a change it is counted once per key; a bare quantity is written over what is there.
      if (settings['stockByChange'] === true) return shop.once(key, () => ({ sellable: shop.addStock(request.params.sku, change, key).stock }));
      return { sellable: shop.setStock(request.params.sku, quantity, null).stock };
    }));
    app.post('/orders/:id/shipments', answer(true, (request) => {
      const body = json<{ key: string; carrier: string; number: string; lines: { id: string; qty: number }[] }>(request);
      shop.ship(request.params.id, { key: body.key, carrier: body.carrier, number: body.number, lines: body.lines.map((l) => ({ lineId: String(l.id), quantity: l.qty })) });
      return { ok: true };
    }));
    app.post('/orders/:id/receiver', answer(true, (request) => {
      shop.answerAddress(request.params.id, json<{ approved: boolean }>(request).approved);
      return { ok: true };
    }));
    app.post('/claims/:claim', answer(true, (request) => {
      shop.moveAfterSale(request.params.claim, json<{ approved: boolean }>(request).approved ? 'agreed' : 'refused', 'shop');
      return { ok: true };
    }));
    app.post('/orders/:id/cancel', answer(true, (request) => {
      shop.cancel(request.params.id, 'shop');
      return { ok: true };
    }));
  },
};
