import type { FastifyInstance } from 'fastify';
import { createCarrierTending } from '../../../activities/carriers/tend.ts';
import type { Activities } from '../../../activities/index.ts';
import { buildApp } from '../../../api/app.ts';
import { carrierKind } from '../../../carriers/registry.ts';
import { createApiKey } from '../../../db/api-keys.ts';
import { decodeId } from '../../../domain/ids.ts';
import type { OrderIntake } from '../../../domain/order/intake.ts';
import { createLogger } from '../../../runtime/logger.ts';
import type { CourierParcel } from '../../../simulators/courier/courier.ts';
import { startCourier, type RunningCourier } from '../../../simulators/courier/start-courier.ts';
import { createHttp } from '../../../workers/http.ts';
import { advance } from '../../support/advance.ts';
import { defaultAnswer, World, type Fulfillment } from '../../support/world.ts';
import { accountOf, COURIERS } from './couriers.ts';

const HOUR = 3_600_000;
/** A parcel on its way: the order, its fulfillment order, its number, and what the other side knows of it. */
export type Sent = { order: string; f: Fulfillment; no: string; there: CourierParcel };

/** An account at a carrier's, tracker's or waybill service's simulator, connected to a world of ours. Orders go by `carrier`. */
export class CarrierScene {
  readonly world: World;
  readonly courier: RunningCourier;
  readonly app: FastifyInstance;
  readonly key: string;
  readonly account: string;
  readonly carrier: string;
  readonly settings: Record<string, unknown>;
  activities: Activities;
  #tending: ReturnType<typeof createCarrierTending>;

  private constructor(parts: Pick<CarrierScene, 'world' | 'courier' | 'app' | 'key' | 'account' | 'carrier' | 'settings'>) {
    this.world = parts.world;
    this.courier = parts.courier;
    this.app = parts.app;
    this.key = parts.key;
    this.account = parts.account;
    this.carrier = parts.carrier;
    this.settings = parts.settings;
    this.activities = this.world.activities(null);
    this.#tending = this.#tend();
  }

  static async open(kindCode: string, changes: Record<string, unknown> = {}): Promise<CarrierScene> {
    const kind = carrierKind(kindCode);
    const simulator = COURIERS[kindCode];
    if (!kind || !simulator) throw new Error(`${kindCode} has no simulator`);
    // A carrier of its own has the account's code; else another one carries: a tracker's gives its own numbers, a waybill service's gives none.
    const own = kind.covers === undefined;
    const carrier = own ? kindCode : 'yto';
    const account = own ? carrier : `at-${kindCode}`;
    const world = await World.create({ skus: 4, stock: 200 });
    const real = createHttp(1_000, () => world.now.getTime());
    world.partners.answer = (request) => (request.url.includes('127.0.0.1') ? real(request) : defaultAnswer(request));
    await world.database.pool.query(`update carriers set active = false where code = 'sim'`);
    for (const code of new Set([carrier, ...Object.keys(Object(changes['carriers']) as object)])) {
      await world.database.pool.query('insert into carriers (code, name, base_url) values ($1, $1, $2)', [code, own || kind.capabilities.waybills !== 'none' ? null : 'http://carrier.test']);
      await world.database.pool.query(`insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days) select $1, z, 1000, 600, 500, 100, 1 from unnest(array['same_city', 'same_province', 'national']) z`, [code]);
    }
    await world.store.network.reload();
    const app = await buildApp({ store: world.store, knex: null as never, logger: createLogger('test', 'silent') });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const settings = { ...await accountOf(simulator.folder), ...(own ? {} : { carriers: { [carrier]: simulator.word ?? carrier } }), ...(kind.capabilities.waybills === 'platform' ? { channel: 'own' } : {}), ...changes };
    const courier = await startCourier(simulator.protocol, { settings, speed: (simulator.protocol.retries[0] ?? 1000) / 100, clock: () => world.now.getTime() });
    if (kind.capabilities.token === 'shop') {
      await world.database.pool.query(`insert into channel_tokens (channel_id, access, expires_at, refreshed_at) select id, $1, $2, $3 from channels where code = 'own'`,
        [world.store.vault.sealSecret('shop-token'), new Date(world.now.getTime() + 60 * 86_400_000), world.now]);
    }
    const { key } = await createApiKey(world.database.pool, { name: 'office', scopes: ['network:write', 'network:read', 'orders:read', 'orders:write', 'orders:operate', 'fulfillment:write', 'personal:read', 'returns:write'] });
    await world.store.network.reload();
    const scene = new CarrierScene({ world, courier, app, key, account, carrier, settings });
    const made = await scene.api<{ pushPath: string }>('PUT', `/v1/carrier-accounts/${account}`, { kind: kindCode, settings: { ...settings, baseUrl: courier.url, ...(kind.settings.properties['callbackUrl'] ? { callbackUrl: 'http://callback.invalid' } : {}) } });
    courier.pusher.hookUrl = `${address}${made.pushPath}`;
    return scene;
  }

  async close(): Promise<void> {
    await this.courier.close();
    this.app.server.closeAllConnections();
    await this.app.close();
    await this.world.close();
  }

  #tend() {
    const { store, partners, raw } = this.world;
    return createCarrierTending({ ...store, http: partners.http, raw }, createLogger('test', 'silent'));
  }

  /** The worker is another process from here on. */
  restart(): void {
    this.activities = this.world.activities(null);
    this.#tending = this.#tend();
  }

  get tend(): ReturnType<typeof createCarrierTending> { return this.#tending; }

  async api<T>(method: 'GET' | 'PUT' | 'POST', url: string, body?: object): Promise<T> {
    const response = await this.app.inject({ method, url, headers: { authorization: `Bearer ${this.key}` }, ...(body ? { payload: body } : {}) });
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${response.body}`);
    return (response.body === '' ? null : response.json()) as T;
  }

  async label(f: Fulfillment): Promise<{ status: number; type: string; bytes: Buffer }> {
    const response = await this.app.inject({ method: 'GET', url: `/v1/fulfillment-orders/${f.id}/label`, headers: { authorization: `Bearer ${this.key}` } });
    return { status: response.statusCode, type: String(response.headers['content-type']), bytes: response.rawPayload };
  }

  /** An order that is routed and about to be released. */
  async routed(changes: Partial<OrderIntake> = {}): Promise<{ order: string; f: Fulfillment }> {
    const { id } = await this.world.capture(changes);
    await advance(this.world, id, 'ship');
    const [f] = await this.world.fulfillments(id);
    if (!f) throw new Error('not routed');
    return { order: id, f };
  }

  async ship({ order, f }: { order: string; f: Fulfillment }): Promise<Fulfillment> {
    await this.activities.ship({ orderId: order, fulfillmentOrderId: f.id });
    const again = (await this.world.fulfillments(order)).find((x) => x.id === f.id);
    if (!again) throw new Error('gone');
    return again;
  }

  /** Everything leaves in one parcel, and the account is told that we want to hear of it. */
  async send(changes: Partial<OrderIntake> = {}): Promise<Sent> {
    const routed = await this.routed(changes);
    const f = await this.ship(routed);
    return this.leave(routed.order, f);
  }

  async leave(order: string, f: Fulfillment): Promise<Sent> {
    const no = f.waybillNo ?? '';
    await this.world.tell(f, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: this.carrier, waybillNo: no, lines: f.lines.filter((l) => l.quantity > 0) }] });
    const there = this.courier.courier.parcels.get(no) ?? this.courier.courier.know(no, this.word);
    this.later(0.01);
    await this.tend.announce();
    return { order, f, no, there };
  }

  get word(): string { return Object.values((this.settings['carriers'] ?? {}) as Record<string, string>)[0] ?? this.carrier; }

  later(hours: number): void { this.world.now = new Date(this.world.now.getTime() + hours * HOUR); }

  /** It happens there, and is pushed and answered. */
  async move({ no }: Pick<Sent, 'no'>, ...steps: Parameters<RunningCourier['courier']['move']>[1][]): Promise<void> {
    for (const step of steps) {
      this.later(1);
      this.courier.courier.move(no, step);
    }
    await this.pushed();
  }

  async pushed(): Promise<void> {
    this.courier.pusher.flush();
    while (this.courier.pusher.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async milestone({ no }: Pick<Sent, 'no'>): Promise<string> { return (await this.world.one<{ m: string }>('select milestone m from parcels where waybill_no = $1', no)).m; }

  /** What pushes have done so far: anything that happens twice shows here. */
  async effects(): Promise<Record<string, unknown>> {
    return this.world.one(`select (select count(*)::int from order_events) events, (select count(*)::int from tracking_events) tracking, (select count(*)::int from stock_movements) movements,
      (select count(*)::int from outbox) wakes, (select count(*)::int from claims) claims, (select count(*)::int from parcel_exceptions) exceptions, (select count(*)::int from parcels) parcels`);
  }

  async waybills(order: string): Promise<{ account: string; state: string; waybillNo: string | null }[]> {
    const { rows } = await this.world.store.pool.query<{ account: string; state: string; waybillNo: string | null }>(
      'select account, state, waybill_no "waybillNo" from waybills where order_id = $1 order by asked_at, account', [decodeId('ord', order)]);
    return rows;
  }
}
