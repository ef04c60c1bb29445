import { MockActivityEnvironment } from '@temporalio/testing';
import type { FastifyInstance } from 'fastify';
import { createActivities } from '../../../activities/index.ts';
import type { SyncFacts } from '../../../activities/channel-sync/index.ts';
import { buildApp } from '../../../api/app.ts';
import { createApiKey } from '../../../db/api-keys.ts';
import { readChanges } from '../../../db/channels/read-changes.ts';
import type { DocumentView, FileView } from '../../../db/dealers/read.ts';
import { encodeId } from '../../../domain/ids.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { advance } from '../../support/advance.ts';
import { allReadable } from '../../support/readable.ts';
import { World } from '../../support/world.ts';

export const X12 = 'application/edi-x12';
export const EDIFACT = 'application/edifact';
export type Upload = FileView & { repeatedNow?: boolean };

/** A dealer of a world of ours: its files go through the API, `sync` is one look of its workflow. */
export class DealerScene {
  readonly world: World;
  readonly app: FastifyInstance;
  readonly key: string;
  readonly code: string;
  #sync: (ref: { channel: string }) => Promise<SyncFacts>;

  private constructor(world: World, app: FastifyInstance, key: string, code: string) {
    this.world = world;
    this.app = app;
    this.key = key;
    this.code = code;
    this.#sync = this.#activity();
  }

  static async open(settings: Record<string, unknown> = {}, currency = 'CNY', code = 'dealer-1'): Promise<DealerScene> {
    const world = await World.create();
    const app = await buildApp({ store: world.store, knex: null as never, logger: createLogger('test', 'silent') });
    const { key } = await createApiKey(world.database.pool, { name: 'office', scopes: ['network:write', 'network:read', 'orders:read', 'orders:write', 'orders:operate', 'stock:read'] });
    await world.store.network.reload();
    const scene = new DealerScene(world, app, key, code);
    await scene.addDealer(code, currency, settings);
    return scene;
  }

  async addDealer(code: string, currency: string, settings: Record<string, unknown>): Promise<void> {
    await this.world.database.pool.query(
      `insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s) values ($1, $1, 'dealer', 'accept', $2, 1800, 172800, 0, 86400)`, [code, currency]);
    await this.world.store.network.reload();
    await this.ask('PUT', `/v1/channels/${code}/shop`, { settings: { mapByMerchantCode: true, ...settings } });
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.world.close();
  }

  #activity(): (ref: { channel: string }) => Promise<SyncFacts> {
    const { store, partners, raw } = this.world;
    const activities = createActivities({ writer: store.writer, network: store.network, vault: store.vault, http: partners.http, capture: store.capture, raw });
    return (ref) => new MockActivityEnvironment().run(activities.syncChannel, ref);
  }

  async ask<T>(method: 'GET' | 'PUT' | 'POST', url: string, body?: object): Promise<T> {
    const response = await this.app.inject({ method, url, headers: { authorization: `Bearer ${this.key}` }, ...(body ? { payload: body } : {}) });
    if (response.statusCode >= 300) throw new Error(`${method} ${url}: ${response.statusCode} ${response.body}`);
    return (response.body === '' ? null : response.json()) as T;
  }

  async post(body: string | Buffer, type = 'text/csv', name = 'orders.csv', channel = this.code): Promise<{ status: number; body: Upload }> {
    const response = await this.app.inject({ method: 'POST', url: `/v1/dealer-files?channel=${channel}&name=${encodeURIComponent(name)}`, headers: { authorization: `Bearer ${this.key}`, 'content-type': type }, payload: body });
    return { status: response.statusCode, body: response.json<Upload>() };
  }

  async text(url: string): Promise<string> {
    const response = await this.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${this.key}` } });
    if (response.statusCode !== 200) throw new Error(`${url}: ${response.statusCode} ${response.body}`);
    return response.body;
  }

  async documents(): Promise<DocumentView[]> { return (await this.ask<{ items: DocumentView[] }>('GET', `/v1/dealer-documents?channel=${this.code}`)).items; }
  /** Bodies of the documents of a kind, the oldest first. */
  async written(kind: string): Promise<string[]> {
    return Promise.all((await this.documents()).filter((d) => d.kind === kind).map((d) => this.text(`/v1/dealer-documents/${d.id}`)));
  }

  async file(id: string): Promise<FileView> { return this.ask('GET', `/v1/dealer-files/${id}`); }

  /** Time goes by, what changed is noted, and the dealer is looked at until nothing is left to do. */
  async sync(seconds = 1): Promise<void> {
    this.world.now = new Date(this.world.now.getTime() + seconds * 1000);
    await this.#noted();
    await this.#sync({ channel: this.code });
    if (await this.#noted()) await this.#sync({ channel: this.code });
  }

  /** What was committed until now is noted. */
  async #noted(): Promise<boolean> {
    const { pool, network } = this.world.store;
    await allReadable(pool);
    return readChanges(pool, network, this.world.now);
  }

  /** The order of ours that a dealer's became. */
  async order(orderNo: string): Promise<string> {
    const { id } = await this.world.one<{ id: string }>('select o.id from orders o join channels c on c.id = o.channel_id where c.code = $1 and o.external_id = $2', this.code, orderNo);
    return encodeId('ord', id);
  }

  /** Takes the order's steps until its locations have it, and then everything leaves. */
  async ship(orderNo: string): Promise<void> { return this.shipOrder(await this.order(orderNo)); }

  async shipOrder(id: string): Promise<void> {
    await advance(this.world, id);
    for (const f of await this.world.fulfillments(id)) if (f.status !== 'cancelled' && f.status !== 'rejected') await this.world.issue(f);
  }

  async count(table: string): Promise<number> { return Number((await this.world.one<{ n: string }>(`select count(*) n from ${table}`)).n); }
  /** Control numbers of what was written, by standard. */
  async controls(): Promise<number[]> { return (await this.documents()).flatMap((d) => d.control ?? []).sort((a, b) => a - b); }
}
