import { createHmac, randomInt, randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { Order, OrderStatus } from '../platform/order.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';

const STATUS: Record<OrderStatus, string> = { unpaid: 'pending', to_ship: 'processing', part_shipped: 'processing', shipped: 'completed', done: 'completed', cancelled: 'cancelled' };
/** Whole seconds of GMT, without a zone. */
const gmt = (ms: number): string => new Date(ms).toISOString().slice(0, 19);
const decimal = (minor: number): string => `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
/** Ids are bare numbers; those of the shared shop that are words stay words. */
const bare = (value: unknown): string => JSON.stringify(value).replace(/"@(\d+)"/g, '$1').replace(/"@([^"]*)"/g, '"$1"');

const done = (order: Order) => order.afterSales.filter((a) => a.kind === 'refund' && a.status === 'done');
function show(order: Order): Record<string, unknown> {
  const { address: a } = order;
  return {
    id: `@${order.id}`, number: order.id, status: order.trashed ? 'trash' : order.word ?? (order.status !== 'cancelled' ? STATUS[order.status] : done(order).length > 0 ? 'refunded' : order.restocked === false ? 'failed' : 'cancelled'), currency: order.currency, prices_include_tax: true, date_created_gmt: gmt(order.createdAt), date_modified_gmt: gmt(order.updatedAt),
    date_paid_gmt: order.paidAt === null ? null : gmt(order.paidAt), customer_id: 0, customer_note: order.remark, payment_method: 'bacs', discount_total: '0.00', shipping_total: decimal(order.freight), shipping_tax: '0.00',
    billing: { first_name: '', last_name: '', address_1: '', city: '', state: '', country: a.country, phone: a.phone },
    shipping: { first_name: a.name, last_name: '', address_1: a.street, address_2: a.district, city: a.city, state: a.province, postcode: '', country: a.country, phone: a.phone },
    line_items: order.lines.map((l) => ({
      id: `@${l.lineId}`, name: l.title, product_id: `@${l.itemId}`, variation_id: `@${l.sku}`, quantity: l.quantity, sku: l.merchantCode, subtotal: decimal(l.unitPrice * l.quantity), subtotal_tax: '0.00', total: decimal(l.unitPrice * l.quantity), total_tax: '0.00',
      meta_data: order.status === 'unpaid' || order.restocked === true ? [] : [{ id: 1, key: '_reduced_stock', value: String(l.quantity - (l.restocked ?? 0)) }, ...(l.restocked === undefined ? [] : [{ id: 2, key: '_restock_refunded_items', value: String(l.restocked) }])],
    })),
    refunds: done(order).map((r) => ({ id: `@${r.id}`, reason: r.reason, total: `-${decimal(r.amount)}` })),
  };
}

/** WooCommerce as protocols.md gives it (A6.1): Basic authentication, decimal money, times in whole seconds, webhooks signed over raw bytes that nobody repeats and that end after five failures in a row. */
export const woocommerce: Protocol = {
  restores: 'cancelled', batch: 1, deadlineMs: 5_000, retries: [], disabledAfter: 5,
  acknowledged: (status) => status >= 200 && status < 300,

  push([event], { settings }, { bad }) {
    const order = event?.order;
    if (!event || !order) return null;
    const topic = event.kind === 'created' ? 'order.created' : 'order.updated';
    const body = bare(show(order));
    const signature = createHmac('sha256', bad === 'forged' ? 'another secret' : String(settings['webhookSecret'])).update(body, 'utf8').digest('base64');
    return {
      method: 'POST', query: '', body: bad === 'truncated' ? body.slice(0, -8) : body,
      headers: {
        'content-type': 'application/json', 'X-WC-Webhook-Source': 'https://simulated.example/', 'X-WC-Webhook-Topic': topic, 'X-WC-Webhook-Resource': 'order', 'X-WC-Webhook-Event': topic.slice(6), 'X-WC-Webhook-Signature': signature,
        'X-WC-Webhook-ID': '7', 'X-WC-Webhook-Delivery-ID': randomUUID().replaceAll('-', ''),
      },
    };
  },

  probe: () => ({ request: { method: 'POST', query: '', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'webhook_id=7' }, good: (status) => status === 200 }),

  routes(app, platform: Platform) {
    const { shop, settings } = platform;
    const notes = new Map<string, { id: number; note: string; customer_note: boolean }[]>();
    const expected = `Basic ${Buffer.from(`${String(settings['consumerKey'])}:${String(settings['consumerSecret'])}`).toString('base64')}`;
    type Call = FastifyRequest<{ Params: { id: string; parent: string }; Querystring: Record<string, string> }>;
    const json = <T>(request: Call): T => JSON.parse((request.body as Buffer).toString('utf8')) as T;
    const fail = (reply: FastifyReply, status: number, code: string, message: string): FastifyReply => reply.code(status).send(JSON.stringify({ code, message, data: { status } }));
    const on = (method: 'GET' | 'POST' | 'PUT', path: string, run: (request: Call, reply: FastifyReply) => unknown): void => {
      app.route<{ Params: Call['params']; Querystring: Call['query'] }>({ method, url: `/wp-json/wc/v3${path}`, handler: async (request, reply) => {
        reply.header('content-type', 'application/json; charset=UTF-8');
        if (request.headers.authorization !== expected) return fail(reply, 401, 'woocommerce_rest_cannot_view', 'Sorry, you cannot list resources.');
        return underFaults<unknown>(platform, method !== 'GET', {
          down: () => reply.code(503).send('<html>maintenance</html>'), throttled: () => reply.code(429).header('retry-after', '1').send('{}'), error: () => fail(reply, 500, 'internal_server_error', 'There has been a critical error on this website.'),
        }, () => {
          try {
            return bare(run(request as Call, reply));
          } catch (error) {
            if (!(error instanceof ShopError)) throw error;
            return error.code === 'no_order' ? fail(reply, 404, 'woocommerce_rest_shop_order_invalid_id', 'Invalid ID.') : fail(reply, 400, `woocommerce_rest_${error.code}`, error.message);
          }
        });
      } });
    };
    on('GET', '/orders/:id', (request) => show(shop.order(request.params.id)));
    on('GET', '/orders', (request, reply) => {
      const q = request.query;
      const size = Math.min(100, Number(q['per_page'] ?? 10));
      const at = (name: string): number => Date.parse(`${q[name] ?? ''}Z`);
      // Both ends are exclusive, and the stored time has no parts of a second.
      const all = shop.changed(0, Number.MAX_SAFE_INTEGER).filter((o) => (q['status'] === 'trash') === (o.trashed === true)).filter((o) => { const t = Date.parse(`${gmt(o.updatedAt)}Z`); return t > at('modified_after') && t < at('modified_before'); });
      reply.header('x-wp-total', String(all.length)).header('x-wp-totalpages', String(Math.ceil(all.length / size)));
      return all.slice((Number(q['page'] ?? 1) - 1) * size, Number(q['page'] ?? 1) * size).map(show);
    });
    on('GET', '/orders/:id/refunds', (request) => done(shop.order(request.params.id)).map((r) => ({
      id: `@${r.id}`, date_created_gmt: gmt(r.updatedAt), amount: decimal(r.amount), reason: r.reason,
      line_items: r.lines.map((l) => ({ id: randomInt(1, 1_000_000), quantity: -l.quantity, total: '-1.00', meta_data: [{ key: '_refunded_item_id', value: l.lineId }] })),
    })));
    on('GET', '/orders/:id/notes', (request) => { shop.order(request.params.id); return notes.get(request.params.id) ?? []; });
    on('POST', '/orders/:id/notes', (request) => {
      shop.order(request.params.id);
      const note = { id: randomInt(1, 1_000_000), ...json<{ note: string; customer_note: boolean }>(request) };
      notes.set(request.params.id, [note, ...notes.get(request.params.id) ?? []]);
      return note;
    });
    on('PUT', '/orders/:id', (request) => {
      const order = shop.order(request.params.id);
      const { status } = json<{ status: string }>(request);
      const numbers = [...notes.get(order.id) ?? []].reverse().filter((n) => n.customer_note).map((n) => n.note.split(' ').at(-1) ?? '');
      if (status === 'cancelled') shop.cancel(order.id, 'shop');
      if (status === 'completed') shop.ship(order.id, { key: `completed-${randomUUID()}`, carrier: 'note', number: numbers[0] ?? '', lines: null });
      return show(shop.order(order.id));
    });
    on('GET', '/products/:parent/variations', (request) => (request.query['include'] ?? '').split(',').flatMap((sku) => {
      const item = shop.items.get(sku);
      return item && item.itemId === request.params.parent ? [{ id: `@${sku}`, sku: item.merchantCode, manage_stock: true, stock_quantity: item.stock, stock_status: item.stock > 0 ? 'instock' : 'outofstock' }] : [];
    }));
    on('POST', '/products/:parent/variations/batch', (request) => ({
      update: json<{ update: { id: string | number; stock_quantity: number }[] }>(request).update.map(({ id, stock_quantity }) => {
        const item = shop.items.get(String(id));
        if (item?.itemId !== request.params.parent) return { id: `@${id}`, error: { code: 'woocommerce_rest_product_variation_invalid_id', message: 'Invalid ID.', data: { status: 400 } } };
        return { id: `@${id}`, stock_quantity: shop.setStock(item.sku, stock_quantity, null).stock };
      }),
    }));
  },
};
