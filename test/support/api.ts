import type { FastifyInstance } from 'fastify';
import type { Knex } from 'knex';
import { buildApp } from '../../api/app.ts';
import { createApiKey, type Scope } from '../../db/api-keys.ts';
import { readFacts } from '../../db/orders/facts.ts';
import { createKnex } from '../../db/pool.ts';
import { decodeId } from '../../domain/ids.ts';
import { nextStep, type Step } from '../../domain/order/flow.ts';
import { createLogger } from '../../runtime/logger.ts';
import type { SeedOptions } from '../../bench/seed.ts';
import { World } from './world.ts';

export type Answer = { status: number; body: Record<string, unknown>; headers: Record<string, unknown> };
export const DAY = 86_400_000;

/** The API over a world, without Temporal: `advance` takes an order's steps one by one. */
export class TestApi {
  readonly world: World;
  readonly app: FastifyInstance;
  readonly #knex: Knex;

  private constructor(world: World, app: FastifyInstance, knex: Knex) {
    this.world = world;
    this.app = app;
    this.#knex = knex;
  }

  static async open(options: Partial<SeedOptions> = {}): Promise<TestApi> {
    const world = await World.create(options);
    const knex = createKnex(world.database.url);
    return new TestApi(world, await buildApp({ store: world.store, knex, logger: createLogger('test', 'silent') }), knex);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.#knex.destroy();
    await this.world.close();
  }

  /** A new key, known to the API at once. */
  async key(name: string, scopes: readonly Scope[], locationCode?: string): Promise<string> {
    const { key } = await createApiKey(this.world.store.pool, { name, scopes, ...(locationCode === undefined ? {} : { locationCode }) });
    await this.world.store.network.reload();
    return key;
  }

  async call(key: string, method: 'GET' | 'POST', url: string, body?: object): Promise<Answer> {
    const response = await this.app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(body === undefined ? {} : { payload: body }) });
    return { status: response.statusCode, body: response.json<Record<string, unknown>>(), headers: response.headers };
  }

  /** Takes the steps that the order's workflow would take, until it waits or the next step is `before`. */
  async advance(orderId: string, before?: Step['do']): Promise<void> {
    const activities = this.world.activities(null);
    for (let i = 0; i < 30; i++) {
      const facts = await readFacts(this.world.store.pool, this.world.store.network, decodeId('ord', orderId) as string, this.world.now);
      if (!facts) throw new Error(`no order ${orderId}`);
      const step = nextStep(facts, this.world.now.toISOString());
      if (step.do === before || step.do === 'wait' || step.do === 'finish') return;
      if (step.do === 'ship') {
        for (const fulfillmentOrderId of step.recall) await activities.recall({ orderId, fulfillmentOrderId });
        for (const fulfillmentOrderId of step.remind ?? []) await activities.remind({ orderId, fulfillmentOrderId });
        for (const parcelId of step.intercept) await activities.intercept({ orderId, parcelId });
        for (const fulfillmentOrderId of step.release) await activities.ship({ orderId, fulfillmentOrderId });
      } else await activities[step.do]({ orderId });
    }
    throw new Error(`${orderId} does not come to rest`);
  }

  /** Captured and advanced: `before: 'ship'` leaves it routed. */
  async order(changes: Parameters<World['capture']>[0] = {}, before?: Step['do']): Promise<string> {
    const { id } = await this.world.capture(changes);
    await this.advance(id, before);
    return id;
  }

  /** Everything of the order's fulfillment orders leaves and arrives. */
  async deliver(orderId: string): Promise<void> {
    for (const f of await this.world.fulfillments(orderId)) {
      await this.world.issue(f);
      await this.world.carrier(f.waybillNo ?? '', 'delivered');
    }
    await this.advance(orderId);
  }

  /** What a refused command must not change: everything that belongs to orders and stock, as one text. */
  async fingerprint(): Promise<string> {
    const tables = ['orders', 'order_lines', 'order_events', 'order_holds', 'reservations', 'shortages', 'stock_levels', 'stock_movements', 'fulfillment_orders', 'vault_records', 'outbox',
      'returns', 'return_lines', 'refunds', 'refund_requests', 'parcels', 'parcel_lines', 'claims', 'persons', 'erasures'];
    const parts = tables.map((t) => `(select '${t}' || count(*) || md5(coalesce(string_agg(x::text, '|' order by x::text), '')) from ${t} x)`);
    return (await this.world.one<{ print: string }>(`select concat_ws(' ', ${parts.join(', ')}) print`)).print;
  }
}
