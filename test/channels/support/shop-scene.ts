import { MockActivityEnvironment } from '@temporalio/testing';
import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../../api/app.ts';
import { createActivities } from '../../../activities/index.ts';
import type { SyncFacts } from '../../../activities/channel-sync/index.ts';
import { channelKind } from '../../../channels/registry.ts';
import { createApiKey } from '../../../db/api-keys.ts';
import { readChanges } from '../../../db/channels/read-changes.ts';
import { encodeId } from '../../../domain/ids.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { startPlatform, type RunningPlatform } from '../../../simulators/platform/start-platform.ts';
import { allReadable } from '../../support/readable.ts';
import { createRawHttp } from '../../../workers/http.ts';
import { StreamKeeper } from '../../../workers/streams/keeper.ts';
import { World } from '../../support/world.ts';
import { accountOf, SIMULATORS } from './platforms.ts';

const CODE = 'shop-';

/** What a platform allows a second takes real time, under whatever clock: who tests that sets limits of his own. */
const unlimited = (platform: string): Record<string, { perSecond: number; burst: number }> => Object.fromEntries(Object.keys(channelKind(platform)?.limits ?? {}).map((family) => [family, { perSecond: 1000, burst: 1000 }]));

/** A shop on a platform's simulator, connected to a world of ours: what it pushes arrives at the API, and `sync` is one look of the shop's workflow. */
export class ShopScene {
  readonly world: World;
  readonly platform: RunningPlatform;
  readonly app: FastifyInstance;
  readonly key: string;
  readonly code: string;
  readonly account: Record<string, unknown>;
  /** what became of messages over streams */
  readonly streamed: string[] = [];
  /** what a worker holds of streams */
  readonly keeper: StreamKeeper;
  #sync: (ref: { channel: string }) => Promise<SyncFacts>;
  readonly #asksEveryS: number;
  readonly #lagS: number;

  private constructor(parts: { world: World; platform: RunningPlatform; app: FastifyInstance; key: string; code: string; account: Record<string, unknown> }) {
    this.world = parts.world;
    this.platform = parts.platform;
    this.app = parts.app;
    this.key = parts.key;
    this.code = parts.code;
    this.account = parts.account;
    const kind = channelKind(parts.code.slice(CODE.length));
    this.#asksEveryS = kind?.capabilities.push === 'none' ? kind.backstop.everyS + kind.backstop.lagS + 1 : 1;
    this.#lagS = kind?.backstop.lagS ?? 0;
    this.keeper = this.keep();
    this.#sync = this.#activity();
  }

  /** A worker's keeper of streams. */
  keep(): StreamKeeper { return new StreamKeeper({ store: this.world.store, http: this.world.partners.http, raw: createRawHttp(), logger: createLogger('test', 'silent'), lookMs: 200, backOff: { firstMs: 5, mostMs: 50 }, onMessage: (_, outcome) => { this.streamed.push(outcome); } }); }

  /** `platform`: a folder of the registry; it sells SKU-1…4 of the world under P-1…4 with our codes on them. */
  static async open(platform: string, settings: Record<string, unknown> = {}): Promise<ShopScene> {
    const simulator = SIMULATORS[platform];
    if (!simulator) throw new Error(`platform ${platform} has no simulator`);
    const world = await World.create();
    const code = `${CODE}${platform}`;
    await world.database.pool.query(
      `insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s) values ($1, $1, $2, 'accept', 'CNY', 1800, 172800, 0, 86400)`, [code, platform]);
    await world.store.network.reload();
    const app = await buildApp({ store: world.store, knex: null as never, logger: createLogger('test', 'silent') });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const account = { ...await accountOf(simulator.folder), ...settings };
    const running = await startPlatform(simulator.protocol, {
      settings: account, speed: 1000, clock: () => world.now.getTime(), items: [1, 2, 3, 4].map((n) => ({ sku: `P-${n}`, itemId: `900${n}`, merchantCode: `SKU-${n}`, title: `Item ${n}`, price: 1000 * n, stock: 0 })),
    });
    const { key } = await createApiKey(world.database.pool, { name: 'office', scopes: ['network:write', 'network:read', 'orders:read', 'orders:write', 'orders:operate'] });
    await world.store.network.reload();
    const scene = new ShopScene({ world, platform: running, app, key, code, account });
    const { pushPath } = await scene.api<{ pushPath: string | null }>('PUT', `/v1/channels/${code}/shop`, { settings: { ...account, baseUrl: running.url }, limits: unlimited(platform) });
    if (pushPath === null) await scene.keeper.look();
    else running.pusher.hookUrl = `${address}${pushPath}`;
    scene.keeper.start();
    return scene;
  }

  async close(): Promise<void> {
    await this.keeper.close();
    await this.platform.close();
    this.app.server.closeAllConnections(); // the platform keeps its open for more than a minute
    await this.app.close();
    await this.world.close();
  }

  #activity(): (ref: { channel: string }) => Promise<SyncFacts> {
    const { store, partners, raw } = this.world;
    const activities = createActivities({ writer: store.writer, network: store.network, vault: store.vault, http: partners.http, capture: store.capture, raw });
    return (ref) => new MockActivityEnvironment().run(activities.syncChannel, ref);
  }

  /** The worker is another process from here on: its limits and sessions are new. */
  restart(): void { this.#sync = this.#activity(); }

  async api<T>(method: 'GET' | 'PUT' | 'POST', url: string, body?: object): Promise<T> {
    const response = await this.app.inject({ method, url, headers: { authorization: `Bearer ${this.key}` }, ...(body ? { payload: body } : {}) });
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${response.body}`);
    return (response.body === '' ? null : response.json()) as T;
  }

  /** Its first listings are known to us, one SKU each, and told. */
  async list(count = 4): Promise<void> {
    await this.api('POST', `/v1/channels/${this.code}/listings`, { mappings: Array.from({ length: count }, (_, i) => ({ platformSku: `P-${i + 1}`, components: [{ sku: `SKU-${i + 1}`, quantity: 1 }] })) });
    await this.world.store.pool.query(`update listings set item_id = '900' || right(platform_sku, 1)`);
    await this.proven();
  }

  /** Everything that happened there has been pushed and answered. */
  async pushed(): Promise<void> {
    this.platform.pusher.flush();
    while (this.platform.pusher.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Time goes by (where nothing is pushed, until the platform is asked again), what changed is noted, and the shop is looked at until nothing is left to do. */
  async sync(seconds = this.#asksEveryS): Promise<SyncFacts> {
    this.world.now = new Date(this.world.now.getTime() + seconds * 1000);
    await this.#noted();
    const facts = await this.#sync({ channel: this.code });
    // What the look itself has moved.
    return await this.#noted() ? this.#sync({ channel: this.code }) : facts;
  }

  /** Figures that are read now are proven, and what they lead to is told: once the platform lists every order from before. */
  async proven(): Promise<SyncFacts> {
    await this.sync();
    return this.sync(this.#lagS + 1);
  }

  /** What was committed until now is noted. */
  async #noted(): Promise<boolean> {
    const { pool, network } = this.world.store;
    await allReadable(pool);
    return readChanges(pool, network, this.world.now);
  }

  async channelOrder(externalId: string): Promise<{ state: string; reason: string | null; order: string | null } | null> {
    const { rows: [row] } = await this.world.store.pool.query<{ state: string; reason: string | null; order_id: string | null }>(
      `select state, hold_reason reason, order_id from channel_orders o join channels c on c.id = o.channel_id where c.code = $1 and external_id = $2`, [this.code, externalId]);
    return row ? { state: row.state, reason: row.reason, order: row.order_id === null ? null : encodeId('ord', row.order_id) } : null;
  }

  async orderCount(): Promise<number> { return Number((await this.world.one<{ n: string }>('select count(*) n from orders')).n); }
}
