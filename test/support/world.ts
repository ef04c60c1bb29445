import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import type { RawHttp } from '../../channels/channel.ts';
import { createActivities, type Activities } from '../../activities/index.ts';
import { seed, type SeedOptions } from '../../bench/seed.ts';
import { prepareOrder } from '../../db/capture/prepare.ts';
import { applyLocationEvent, type LocationAnswer, type LocationEvent } from '../../db/fulfillment/location-events.ts';
import { trackParcels, type TrackingNews } from '../../db/fulfillment/track-parcels.ts';
import { ensureLevels } from '../../db/ledger.ts';
import { openStore, type Store } from '../../db/store.ts';
import type { HttpAnswer, HttpRequest } from '../../domain/http-port.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import type { CaptureAnswer, OrderIntake } from '../../domain/order/intake.ts';
import { orderWorkflowId, ORDER_WORKFLOW } from '../../workflows/contract/ids.ts';
import { LOOK } from '../../workflows/contract/messages.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import { createRawHttp } from '../../workers/http.ts';
import { createDatabase, type TestDatabase } from './databases.ts';

export const VAULT_KEY = Buffer.alloc(32, 7);

/** A partner as the tests script it: every request is kept, `answer` may be replaced. */
export class FakePartners {
  readonly requests: HttpRequest[] = [];
  answer: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer> = defaultAnswer;
  readonly http = async (request: HttpRequest): Promise<HttpAnswer> => {
    this.requests.push(request);
    return this.answer(request);
  };
  to(path: string): HttpRequest[] { return this.requests.filter((r) => r.url.includes(path)); }
}

export function defaultAnswer(request: HttpRequest): HttpAnswer {
  const body = (request.body ?? {}) as Record<string, unknown>;
  if (request.url.endsWith('/v1/waybills')) return { status: 201, body: { waybillNo: `W-${String(body['requestId'])}` } };
  if (request.url.endsWith('/intercept')) return { status: 200, body: { outcome: 'accepted' } };
  if (request.url.endsWith('/cancel')) return { status: 200, body: { outcome: 'cancelled' } };
  return { status: 201, body: { partnerRef: `P-${String(body['fulfillmentOrderId'])}`, status: 'received' } };
}

export type Fulfillment = {
  id: string; locationId: number; location: string; status: string; reason: string | null; waybillNo: string | null; lines: { lineNo: number; quantity: number }[];
};

/** A database with a small network, its store under a clock of the test's, and scripted partners. */
export class World {
  now = new Date('2026-11-23T02:00:00Z');
  readonly partners = new FakePartners();
  readonly database: TestDatabase;
  readonly store: Store;
  /** how channels' platforms are reached */
  raw: RawHttp = createRawHttp();

  private constructor(database: TestDatabase, store: Store) {
    this.database = database;
    this.store = store;
  }

  static async create(options: Partial<SeedOptions> = {}): Promise<World> {
    const database = await createDatabase();
    await seed(database.pool, { locations: 3, skus: 4, stock: 10, returnWindowS: 86_400, partnerUrl: 'http://wms.test', carrierUrl: 'http://carrier.test', ...options });
    await database.pool.query(
      `insert into channels (code, name, platform, intake_mode, currency, payment_window_s, backorder_window_s, merge_window_s, return_window_s)
       values ('douyin', 'live-stream shop', 'douyin', 'accept', 'CNY', 1800, 172800, 0, $1), ('merging', 'own site with a merge window', 'own', 'strict', 'CNY', 1800, 604800, 900, $1)`,
      [options.returnWindowS ?? 86_400]);
    let world: World | null = null;
    const store = await openStore({ url: database.url, vaultKey: VAULT_KEY, clock: () => world?.now ?? new Date('2026-11-23T02:00:00Z'), refreshMs: 50 });
    world = new World(database, store);
    return world;
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.database.drop();
  }

  intake(changes: Partial<OrderIntake> = {}): OrderIntake {
    return {
      channel: 'own', externalId: randomUUID(), currency: 'CNY', payment: { status: 'paid' }, freight: 800,
      shipTo: { name: 'Test Person', phone: '10000000001', country: 'CN', province: 'Shanghai', city: 'Shanghai', street: '1 Example Road' },
      lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }, { sku: 'SKU-2', quantity: 2, unitPrice: 500 }], ...changes,
    };
  }

  /** Captures; throws the problem of a refusal. */
  async capture(changes: Partial<OrderIntake> = {}): Promise<CaptureAnswer> {
    const intake = this.intake(changes);
    await this.store.network.loadSkus(intake.lines.map((l) => l.sku));
    const outcome = await this.store.capture.submit(prepareOrder(intake, this.store.network, this.store.vault, this.now, { apiKeyId: 1, idempotencyKey: null, actor: 'key:test', locationId: null }));
    if ('problem' in outcome) throw outcome.problem;
    return outcome.answer;
  }

  async status(orderId: string): Promise<string> {
    const { rows } = await this.store.pool.query<{ status: string }>('select status from orders where id = $1', [decodeId('ord', orderId)]);
    return rows[0]?.status ?? 'missing';
  }

  async events(orderId: string): Promise<string[]> {
    const { rows } = await this.store.pool.query<{ type: string }>('select type from order_events where order_id = $1 order by id', [decodeId('ord', orderId)]);
    return rows.map((r) => r.type);
  }

  /** Fulfillment orders, oldest first; lines without what was short. */
  async fulfillments(orderId: string): Promise<Fulfillment[]> {
    const { rows } = await this.store.pool.query<Fulfillment>(
      `select f.id, f.location_id "locationId", (select code from locations c where c.id = f.location_id) location, f.status, f.end_reason reason, f.waybill_no "waybillNo", json_agg(json_build_object('lineNo', l.line_no, 'quantity', l.quantity - l.short_quantity) order by l.line_no) lines
       from fulfillment_orders f join fulfillment_order_lines l on l.fulfillment_order_id = f.id where f.order_id = $1 group by f.id order by f.id`, [decodeId('ord', orderId)]);
    return rows.map((r) => ({ ...r, id: encodeId('ful', r.id) }));
  }

  async tell(fulfillment: { id: string; locationId: number }, event: Record<string, unknown> & { type: LocationEvent['type'] }): Promise<LocationAnswer> {
    return applyLocationEvent(this.store.writer, fulfillment.locationId, 'location:test',
      { eventId: randomUUID(), fulfillmentOrderId: fulfillment.id, occurredAt: this.now.toISOString(), ...event } as LocationEvent);
  }

  /** Everything of a fulfillment order leaves in one parcel. */
  async issue(fulfillment: { id: string; locationId: number; waybillNo: string | null; lines: { lineNo: number; quantity: number }[] }): Promise<LocationAnswer> {
    return this.tell(fulfillment, { type: 'goods_issue', parcels: [{ parcelNo: 1, carrier: 'sim', waybillNo: fulfillment.waybillNo ?? `own-${fulfillment.id}`, lines: fulfillment.lines.filter((l) => l.quantity > 0) }] });
  }

  async carrier(waybillNo: string, status: TrackingNews['status'], at: Date = this.now): Promise<void> {
    await trackParcels(this.store.writer, 'sim', [{ eventId: randomUUID(), waybillNo, status, occurredAt: at.toISOString() }]);
  }

  /** The ledger's first law, and that reservations are what levels say. */
  async ledger(): Promise<{ drift: number; reservedDrift: number }> {
    const { rows } = await this.store.pool.query<{ drift: number; reserved_drift: number }>(
      `select (select count(*)::int from stock_levels v left join (select level_id, sum(d_on_hand) h, sum(d_reserved) r from stock_movements group by 1) m on m.level_id = v.id
          where v.on_hand <> coalesce(m.h, 0) or v.reserved <> coalesce(m.r, 0)) drift,
        (select count(*)::int from stock_levels v left join (select level_id, sum(quantity) q from reservations where status in ('held', 'confirmed') group by 1) r on r.level_id = v.id
          where v.reserved <> coalesce(r.q, 0)) reserved_drift`);
    return { drift: rows[0]?.drift ?? -1, reservedDrift: rows[0]?.reserved_drift ?? -1 };
  }

  /** Sellable (or other) stock of a SKU as `[on hand, reserved]`, by location code; locations that never had any are left out. */
  async stock(sku: string, condition = 'sellable'): Promise<Record<string, [number, number]>> {
    const { rows } = await this.store.pool.query<{ code: string; on_hand: number; reserved: number }>(
      `select l.code, sum(v.on_hand)::int on_hand, sum(v.reserved)::int reserved from stock_levels v join locations l on l.id = v.location_id join skus k on k.id = v.sku_id
       where k.code = $1 and v.condition = $2 group by 1 order by 1`, [sku, condition]);
    return Object.fromEntries(rows.map((r) => [r.code, [r.on_hand, r.reserved]]));
  }

  /** Sets what a location has of a SKU, by a movement; wakes orders that wait for it. */
  async setStock(sku: string, at: Record<string, number>): Promise<void> {
    await this.store.network.loadSkus([sku]);
    const skuId = this.store.network.knownSku(sku)?.id;
    if (skuId === undefined) throw new Error(`no SKU ${sku}`);
    await this.store.writer.change(async (tx) => {
      const codes = Object.keys(at);
      const ids = await ensureLevels(tx.client, codes.map((code) => ({ locationId: this.locationId(code), skuId, condition: 'sellable', lotId: 0 })));
      const rows = await tx.query<{ id: number; on_hand: number }>('select id, on_hand from stock_levels where id = any($1::bigint[])', [ids]);
      const had = new Map(rows.map((r) => [r.id, r.on_hand]));
      await tx.post('count', null, codes.flatMap((code, i) => {
        const onHand = (at[code] ?? 0) - (had.get(ids[i] as number) ?? 0);
        return onHand === 0 ? [] : [{ levelId: ids[i] as number, onHand, reserved: 0 }];
      }));
    });
  }

  locationId(code: string): number {
    const location = this.store.network.locations.get(code);
    if (!location) throw new Error(`no location ${code}`);
    return location.id;
  }

  /** Refunds of an order, oldest first: `[cause, amount]`. */
  async refunds(orderId: string): Promise<[string, number][]> {
    const { rows } = await this.store.pool.query<{ cause: string; amount: number }>('select cause, amount from refunds where order_id = $1 order by id', [decodeId('ord', orderId)]);
    return rows.map((r) => [r.cause, r.amount]);
  }

  /** One row of a question put to the database. */
  async one<T extends Record<string, unknown>>(text: string, ...values: unknown[]): Promise<T> {
    const { rows } = await this.store.pool.query<T>(text, values);
    if (!rows[0]) throw new Error(`no row: ${text}`);
    return rows[0];
  }

  /** The real activities, under the time of the test server. */
  activities(environment: TestWorkflowEnvironment | null): Activities {
    const real = createActivities({ writer: this.store.writer, network: this.store.network, vault: this.store.vault, http: this.partners.http, capture: this.store.capture, raw: this.raw });
    if (!environment) return real;
    return Object.fromEntries(Object.entries(real).map(([name, run]) => [name, async (argument: never) => {
      this.now = new Date(await environment.currentTimeMs());
      return run(argument);
    }])) as unknown as Activities;
  }

  async worker(environment: TestWorkflowEnvironment, taskQueue: string, options: Partial<WorkerOptions> = {}): Promise<Worker> {
    this.now = new Date(await environment.currentTimeMs());
    return Worker.create({
      connection: environment.nativeConnection, taskQueue, workflowBundle: await workflowBundle(), activities: this.activities(environment), identity: 'worker', ...options,
    });
  }

  start(environment: TestWorkflowEnvironment, taskQueue: string, orderId: string) {
    return environment.client.workflow.start(ORDER_WORKFLOW, { workflowId: orderWorkflowId(orderId), taskQueue, args: [{ v: 1, orderId }] });
  }

  look(environment: TestWorkflowEnvironment, orderId: string): Promise<void> {
    return environment.client.workflow.getHandle(orderWorkflowId(orderId)).signal(LOOK);
  }
}
