import { createHmac, randomUUID } from 'node:crypto';
import type { Platform, Protocol } from '../platform/protocol.ts';
import type { AfterSale, Order, ShopEvent } from '../platform/order.ts';
import { ShopError } from '../platform/shop.ts';
import { underFaults } from '../platform/start-platform.ts';
import { answer, cost, parse } from './graphql.ts';
import { id, iso, roots } from './objects.ts';

const TOPIC: Record<ShopEvent['kind'], string> = { created: 'orders/create', paid: 'orders/paid', cancelled: 'orders/cancelled', address: 'orders/edited', shipped: 'orders/fulfilled', done: 'orders/updated', after_sale: 'refunds/create', stock: 'inventory_levels/update' };
const RETURN_TOPIC: Partial<Record<AfterSale['status'], string>> = { requested: 'returns/request', agreed: 'returns/approve', done: 'returns/close', refused: 'returns/decline', closed: 'returns/cancel' };
/** One query may cost no more, whatever the shop's plan. */
const MOST_POINTS = 1000;
const MUTATION_POINTS = 10;
/** What a query asked for and did not use comes back to the bucket at once. */
const USED = 10;

/** What a webhook says, in the shape of its topic: some hold the order as a whole, some name it below themselves. Null: nothing is pushed for it. */
function message(event: ShopEvent, order: Order): { topic: string; body: string } | null {
  const at = iso(order.updatedAt);
  const claim = event.afterSale;
  if (event.kind === 'after_sale') {
    if (claim === null) return null;
    const topic = RETURN_TOPIC[claim.status];
    if (claim.kind === 'return' && topic !== undefined) {
      return { topic, body: `{"id":${claim.id},"admin_graphql_api_id":"${id('Return', claim.id)}","order":{"id":${order.id},"admin_graphql_api_id":"${id('Order', order.id)}"},"status":"${claim.status}","return_line_items":[]}` };
    }
    return claim.kind === 'refund' && claim.status === 'done' ? { topic: 'refunds/create', body: `{"id":${claim.id},"order_id":${order.id},"created_at":"${at}","processed_at":"${at}"}` } : null;
  }
  if (event.kind === 'address') return { topic: 'orders/edited', body: `{"order_edit":{"id":${order.id},"app_id":null,"created_at":"${at}","order_id":${order.id},"line_items":{"additions":[],"removals":[]}}}` };
  return { topic: TOPIC[event.kind], body: `{"id":${order.id},"admin_graphql_api_id":"${id('Order', order.id)}","currency":"${order.currency}","created_at":"${iso(order.createdAt)}","updated_at":"${at}"}` };
}

/** Shopify as protocols.md gives it (A5): webhooks signed over raw bytes, GraphQL with errors under HTTP 200, a bucket of points, quantities set under comparison and an idempotency key. */
export const shopify: Protocol = {
  restores: 'cancelled', batch: 1, deadlineMs: 5_000, retries: [10_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 3_600_000, 3_600_000],
  acknowledged: (status) => status >= 200 && status < 300,

  push([event], { settings }, { bad }) {
    const told = event?.order ? message(event, event.order) : null;
    if (!event || !told) return null;
    const { topic, body } = told;
    const hmac = createHmac('sha256', bad === 'forged' ? 'another secret' : String(settings['clientSecret'])).update(body, 'utf8').digest('base64');
    const names = Number(event.at) % 2 === 0 ? ['X-Shopify-Topic', 'X-Shopify-Hmac-Sha256', 'X-Shopify-Event-Id', 'X-Shopify-Webhook-Id', 'X-Shopify-Triggered-At'] : ['shopify-topic', 'shopify-hmac-sha256', 'shopify-event-id', 'shopify-webhook-id', 'shopify-triggered-at'];
    const values = [topic, hmac, event.id, randomUUID(), iso(event.at)];
    return {
      method: 'POST', query: '', headers: { 'content-type': 'application/json', 'X-Shopify-Shop-Domain': String(settings['shopDomain']), ...Object.fromEntries(names.map((n, i) => [n, values[i] ?? ''])) },
      body: bad === 'truncated' ? body.slice(0, -8) : body,
    };
  },

  routes(app, platform: Platform) {
    const { settings, clock, counts } = platform;
    const bucket = { points: 1000, at: clock() };
    /** SKU → the location that ships it, where it is not the first */
    const locations = platform.memory<Record<string, string>>('locations', {});
    const resolve = roots(platform, (sku) => locations[sku] ?? '1');
    app.post('/admin/api/:version/graphql.json', async (request, reply) => {
      reply.header('content-type', 'application/json');
      if (request.headers['x-shopify-access-token'] !== settings['accessToken']) return reply.code(401).send('{"errors":"[API] Invalid API key or access token"}');
      const { query, variables } = JSON.parse((request.body as Buffer).toString('utf8')) as { query: string; variables: Record<string, unknown> };
      const failed = (message: string, code: string): string => JSON.stringify({ errors: [{ message, extensions: { code } }] });
      let operation: ReturnType<typeof parse>;
      try {
        operation = parse(query, variables);
      } catch (error) {
        return failed((error as Error).message, 'parseError');
      }
      const writes = operation.kind === 'mutation';
      const points = writes ? MUTATION_POINTS : Math.max(1, cost(operation.fields));
      counts['dearest'] = Math.max(counts['dearest'] ?? 0, points);
      if (points > MOST_POINTS) return failed(`Query cost is ${points}, which exceeds the single query max cost limit (${MOST_POINTS}).`, 'MAX_COST_EXCEEDED');
      bucket.points = Math.min(1000, bucket.points + Math.max(0, (clock() - bucket.at) / 1000) * 50);
      bucket.at = clock();
      const costs = (has: number) => ({ cost: { requestedQueryCost: points, throttleStatus: { maximumAvailable: 1000, currentlyAvailable: Math.floor(has), restoreRate: 50 } } });
      const throttled = (): string => JSON.stringify({ errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }], extensions: costs(Math.min(bucket.points, points - 1)) });
      if (bucket.points < points) return throttled();
      bucket.points -= Math.min(points, USED);
      return underFaults<unknown>(platform, writes, {
        down: () => reply.code(503).send('{}'), throttled, error: () => failed('Internal error', 'INTERNAL_SERVER_ERROR'),
      }, () => {
        const extensions = costs(bucket.points);
        try {
          return JSON.stringify({ data: Object.fromEntries(operation.fields.map((f) => [f.name, answer(resolve(f), f)])), extensions });
        } catch (error) {
          if (error instanceof ShopError) return JSON.stringify({ data: Object.fromEntries(operation.fields.map((f) => [f.name, writes ? { userErrors: [{ code: 'INVALID', field: null, message: error.message }] } : null])), extensions });
          return failed((error as Error).message, 'undefinedField');
        }
      });
    });
  },
};
