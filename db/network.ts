import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { canonicalNames, chineseProvince, foldedProvince } from '../domain/address/china.ts';
import { placeKey, type Place } from '../domain/geo.ts';
import type { AuditRule } from '../domain/order/audit.ts';
import type { InstancePolicy } from '../domain/routing/model.ts';
import type { RateCard } from '../domain/routing/types.ts';
import { rankLocations } from '../domain/routing/first-fit.ts';
import { overflowChain, type Allotment, type ChainLink } from '../domain/stock/overflow.ts';
import type { Ladder } from '../domain/promising/ladder.ts';
import { SharingBook, type Share, type SharingRule } from '../domain/stock/sharing.ts';
import { Blocks, type Block } from './network-blocks.ts';
import { createPool } from './pool.ts';
import { PromotionBook } from './promotions/book.ts';
import { typeParsers } from './types.ts';

export type Channel = {
  id: number; code: string; name: string; platform: string; intakeMode: 'strict' | 'accept'; currency: string;
  paymentWindowS: number; backorderWindowS: number; mergeWindowS: number; returnWindowS: number; supplyHorizonS: number; minLifeDays: number; depositRefundable: boolean; active: boolean;
  /** in place of the locations' own, seconds */
  acceptTimeoutS: number | null; rerouteAfterS: number | null;
  /** how soon a shop has a pickup ready, seconds */
  pickupReadyS: number;
};
export type LocationKind = 'warehouse' | 'store' | 'dealer' | 'third_party' | 'vendor';
export type Location = {
  id: number; code: string; name: string; kind: LocationKind; place: Place; timeZone: string; cutoffMinutes: number;
  handlingMinutes: number; workDays: number[]; closedDays: string[]; handlingCost: number; acceptTimeoutS: number; partnerUrl: string | null;
  partnerSecret: Buffer | null; active: boolean;
  /** units a day; null: as many as come */
  dailyCapacity: number | null; handlingUnitCost: number; takesHazardous: boolean; takesOversized: boolean;
  /** seconds; null: as long as acceptTimeoutS */
  rerouteAfterS: number | null; noCapacityPauseS: number; closedPauseS: number;
};
/** A routing policy that is or will be in effect. */
export type ActivePolicy = { id: number; hash: Buffer; effectiveAt: Date; policy: InstancePolicy };
export type Carrier = { code: string; name: string; baseUrl: string | null; secret: Buffer | null; active: boolean; dailyCapacity: number | null };
/** An address that a carrier does not serve; null: any. */
export type CarrierRefusal = { carrier: string; service: string | null; country: string; province: string | null; city: string | null; postcodePrefix: string | null; reason: string };
export type Sku = { id: number; code: string; name: string; category: string | null; weightG: number; cost: number | null; lotTracked: boolean; active: boolean; volumeMm3: number | null; hazardous: boolean; oversized: boolean };
/** Units of another SKU in one bundle; `priceShare` is a weight. */
export type Component = { sku: Sku; quantity: number; priceShare: number | null };
export type ApiKey = { id: number; name: string; scopes: ReadonlySet<string>; locationId: number | null; carrier: string | null };

const SKU_CACHE = 200_000;
const SKU = 'id, code, name, category, weight_g "weightG", cost, lot_tracked "lotTracked", active, volume_mm3 "volumeMm3", hazardous, oversized';
const NO_COMPONENTS: readonly Component[] = [];
const RECOVER_MS = 500;
/** Their changes are read alone: campaigns make many. */
const PROMOTION_TABLES = new Set(['promotions', 'promotion_skus', 'promotion_conflicts', 'sku_prices']);

/**
 * The network (channels, locations, carriers, rates, policy, rules, keys) as one process knows it. Small tables are read whole and
 * again at every NOTIFY; SKUs are read on first use. A lost listening connection is opened again and everything re-read.
 */
export class Network {
  channels = new Map<string, Channel>();
  channelById = new Map<number, Channel>();
  locations = new Map<string, Location>();
  locationById = new Map<number, Location>();
  carriers = new Map<string, Carrier>();
  rates: RateCard[] = [];
  refusals: CarrierRefusal[] = [];
  #blocks = new Blocks([]);
  /** active ones, the newest in effect first */
  #policies: ActivePolicy[] = [];
  /** how each channel keeps its promises, where it does; by channel */
  ladders = new Map<number, { id: number; version: number; ladder: Ladder }>();
  auditRules: AuditRule[] = [];
  apiKeys = new Map<string, ApiKey>();
  allotments = new Map<number, Allotment>();
  allotmentByCode = new Map<string, Allotment>();
  /** what locations share, where any of them says so */
  #sharing: SharingBook | null = null;
  #channelAllotment = new Map<number, number>();
  #chains = new Map<number, readonly ChainLink[]>();
  #components = new Map<number, Component[]>();
  #componentSkus = new Map<string, Sku>();
  #componentSkuById = new Map<number, Sku>();
  #skus = new Map<string, Sku>();
  #skuById = new Map<number, Sku>();
  #places = new Map<string, { lat: number; lon: number }>();
  #provinces = new Set<string>();
  #ranks = new Map<string, number[]>();
  #listener: pg.Client | null = null;
  #closed = false;
  #reloading: Promise<void> | null = null;
  #again = false;
  #skusChanged = false;
  #recovering = false;
  readonly promotions: PromotionBook;
  readonly #pool: pg.Pool;
  readonly #url: string;

  private constructor(url: string) {
    // Connections of its own: it is asked from within transactions, which hold one of the common pool and would wait for a second.
    this.#pool = createPool(url, 2);
    this.promotions = new PromotionBook(this.#pool);
    this.#url = url;
  }

  static async open(url: string): Promise<Network> {
    const network = new Network(url);
    try {
      await network.#listen();
      await network.reload();
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#listener?.end();
    await this.#reloading?.catch(() => undefined); // told to whoever asked for it
    await this.#pool.end();
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, types: typeParsers, application_name: 'tributary network' });
    client.on('error', (error) => process.emitWarning(`network listener lost: ${error.message}`));
    client.on('end', () => {
      if (this.#listener !== client) return; // never came to listen: whoever opened it knows
      this.#listener = null;
      this.#recover();
    });
    client.on('notification', ({ payload }) => {
      (PROMOTION_TABLES.has(payload ?? '') ? this.promotions.reload() : this.reload(payload === 'skus')).catch((error: Error) => {
        process.emitWarning(`network not re-read: ${error.message}`);
        this.#recover();
      });
    });
    await client.connect();
    await client.query('listen network');
    if (this.#closed) return client.end();
    this.#listener = client;
  }

  /** Twice a second, until there is a listener again and everything has been read since; one loop at a time. */
  #recover(): void {
    if (this.#recovering) return;
    this.#recovering = true;
    void (async () => {
      while (!this.#closed) {
        await delay(RECOVER_MS, undefined, { ref: false });
        try {
          if (!this.#listener && !this.#closed) await this.#listen();
          await this.reload();
          if (this.#listener) break;
        } catch (error) {
          if (!this.#closed) process.emitWarning(`network not re-read: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      this.#recovering = false;
    })();
  }

  /** Reads everything again (`skus`: the SKUs that are known, too); calls that arrive meanwhile share one more reading. */
  async reload(skus = true): Promise<void> {
    this.#skusChanged ||= skus;
    if (this.#reloading) {
      this.#again = true;
      return this.#reloading;
    }
    this.#reloading = (async () => {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#again);
    })().finally(() => { this.#reloading = null; });
    return this.#reloading;
  }

  async #read(): Promise<void> {
    const q = <T extends pg.QueryResultRow>(text: string) => this.#pool.query<T>(text).then((r) => r.rows);
    const channels = await q<Channel>(`select id, code, name, platform, intake_mode "intakeMode", currency, payment_window_s "paymentWindowS",
      backorder_window_s "backorderWindowS", merge_window_s "mergeWindowS", return_window_s "returnWindowS", supply_horizon_s "supplyHorizonS", min_life_days "minLifeDays", deposit_refundable "depositRefundable", active,
      accept_timeout_s "acceptTimeoutS", reroute_after_s "rerouteAfterS", pickup_ready_s "pickupReadyS" from channels`);
    const locations = await q<Omit<Location, 'place'> & { country: string; province: string; city: string; lat: number | null; lon: number | null }>(
      `select id, code, name, kind, country, province, city, lat, lon, time_zone "timeZone", cutoff_minutes "cutoffMinutes",
       handling_minutes "handlingMinutes", work_days "workDays",
       array(select day::text from location_closed_days d where d.location_id = locations.id and day > current_date - 400 order by 1) "closedDays", handling_cost "handlingCost", accept_timeout_s "acceptTimeoutS",
       partner_url "partnerUrl", partner_secret "partnerSecret", active, daily_capacity "dailyCapacity", handling_unit_cost "handlingUnitCost",
       takes_hazardous "takesHazardous", takes_oversized "takesOversized",
       reroute_after_s "rerouteAfterS", no_capacity_pause_s "noCapacityPauseS", closed_pause_s "closedPauseS" from locations order by id`);
    const places = await q<{ country: string; province: string; city: string; lat: number; lon: number }>('select * from places');
    const carriers = await q<Carrier>('select code, name, base_url "baseUrl", secret, active, daily_capacity "dailyCapacity" from carriers');
    const rates = await q<RateCard>(`select r.carrier, r.zone, first_weight_g "firstWeightG", first_cost "firstCost", step_g "stepG", step_cost "stepCost",
      transit_days "transitDays", volumetric_mm3_per_g "volumetricMm3PerG", max_weight_g "maxWeightG", takes_hazardous hazardous,
      r.service, r.cutoff_minutes "cutoffMinute", p.late_risk "lateRisk" from carrier_rates r join carriers on code = carrier and active
      left join carrier_performance p on (p.carrier, p.service, p.zone) = (r.carrier, r.service, r.zone) order by r.carrier, r.zone, r.service`);
    const refusals = await q<CarrierRefusal>('select carrier, service, country, province, city, postcode_prefix "postcodePrefix", reason from carrier_refusals order by id');
    const blocks = await q<Block>('select location_id "locationId", sku_id "skuId", reason, until from location_sku_blocks');
    const policies = await q<{ id: number; hash: Buffer; effectiveAt: Date; code: string; version: number; body: Omit<InstancePolicy, 'code' | 'version'> }>(
      `select id, hash, effective_at "effectiveAt", code, version, body from routing_policies where status = 'active' order by effective_at desc, id desc`);
    const ladders = await q<{ id: number; channelId: number; version: number; body: Ladder | null }>('select distinct on (channel_id) id, channel_id "channelId", version, body from promise_ladders order by channel_id, version desc');
    const rules = await q<AuditRule>(`select r.id, r.name, r.kind, r.action, r.priority, c.code "channelCode", r.active, r.params
      from audit_rules r left join channels c on c.id = r.channel_id where r.active order by r.priority, r.id`);
    const keys = await q<{ id: number; name: string; key_hash: Buffer; scopes: string[]; location_id: number | null; carrier: string | null }>(
      'select id, name, key_hash, scopes, location_id, carrier from api_keys where revoked_at is null');
    const allotments = await q<Allotment>(`select id, code, kind, parent_id "parentId", channel_id "channelId", overflow, borrow_limit "borrowLimit",
      starts_at "startsAt", ends_at "endsAt", closed_at "closedAt" from allotments`);
    const components = await q<Sku & { bundle: number; units: number; priceShare: number | null }>(
      `select b.bundle_sku_id bundle, b.quantity units, b.price_share "priceShare", ${SKU} from bundle_components b join skus on id = b.component_sku_id order by 1, b.position`);
    const sharing = await q<Omit<SharingRule, 'skuIds' | 'hours'> & { skuIds: number[] | null; from: number | null; to: number | null }>(
      `select id, location_id "locationId", channel_id "channelId", sku_ids "skuIds", category, mode, value, from_minute "from", to_minute "to", weekdays, priority from sharing_rules`);
    if (policies.length === 0) throw new Error('no routing policy is active: activate a row of routing_policies');

    this.#places = new Map(places.map((p) => [placeKey(p.country, p.province, p.city), { lat: p.lat, lon: p.lon }]));
    this.channels = new Map(channels.map((c) => [c.code, c]));
    this.channelById = new Map(channels.map((c) => [c.id, c]));
    const withPlace = locations.map(({ country, province, city, lat, lon, ...l }): Location => ({ ...l, place: { country, province, city, lat, lon } }));
    this.locations = new Map(withPlace.map((l) => [l.code, l]));
    this.locationById = new Map(withPlace.map((l) => [l.id, l]));
    this.#provinces = new Set([...places, ...withPlace.map((l) => l.place)].map((p) => `${p.country}|${foldedProvince(p.country, p.province)}`));
    this.carriers = new Map(carriers.map((c) => [c.code, c]));
    this.rates = rates;
    this.refusals = refusals;
    this.#blocks = new Blocks(blocks);
    this.#policies = policies.map(({ id, hash, effectiveAt, code, version, body }) => ({ id, hash, effectiveAt, policy: { code, version, ...body } }));
    this.ladders = new Map(ladders.flatMap(({ id, channelId, version, body }) => (body ? [[channelId, { id, version, ladder: body }]] : [])));
    this.auditRules = rules;
    this.apiKeys = new Map(keys.map((k) => [k.key_hash.toString('hex'),
      { id: k.id, name: k.name, scopes: new Set(k.scopes), locationId: k.location_id, carrier: k.carrier }]));
    this.allotments = new Map(allotments.map((a) => [a.id, a]));
    this.allotmentByCode = new Map(allotments.map((a) => [a.code, a]));
    this.#channelAllotment = new Map(allotments.flatMap((a) => (a.kind === 'channel' && a.channelId !== null && a.closedAt === null ? [[a.channelId, a.id]] : [])));
    this.#chains.clear();
    this.#ranks.clear();
    this.#components = new Map();
    for (const { bundle, units, priceShare, ...sku } of components) this.#components.set(bundle, [...this.#components.get(bundle) ?? [], { sku, quantity: units, priceShare }]);
    this.#componentSkus = new Map(components.map(({ bundle: _bundle, units: _units, priceShare: _share, ...sku }) => [sku.code, sku]));
    this.#componentSkuById = new Map([...this.#componentSkus.values()].map((sku) => [sku.id, sku]));
    this.#sharing = sharing.length === 0 ? null : new SharingBook(
      sharing.map(({ from, to, skuIds, ...rule }) => ({ ...rule, skuIds: skuIds && new Set(skuIds), hours: from === null || to === null ? null : { from, to } })),
      (id) => this.locationById.get(id)?.timeZone ?? 'UTC', (id) => (this.#skuById.get(id) ?? this.#componentSkuById.get(id))?.category ?? null);
    await this.promotions.reload();
    if (this.#skusChanged) await this.#rereadSkus();
  }

  /** A destination under its canonical names, with coordinates where its city is known. */
  place(country: string, province: string, city: string): Place {
    const at = this.#places.get(placeKey(country, province, city));
    return { country, ...canonicalNames(country, province, city), lat: at?.lat ?? null, lon: at?.lon ?? null };
  }

  /** Whether a province of China is one: in its list of divisions, or where a location or a known city is. Of other countries nothing is said. */
  knowsProvince(country: string, province: string): boolean {
    return country !== 'CN' || chineseProvince(province) !== null || this.#provinces.has(`${country}|${foldedProvince(country, province)}`);
  }

  /** The routing policy in effect: of the active ones the newest whose time has come. */
  policyAt(now: Date): ActivePolicy {
    const found = this.#policies.find((p) => p.effectiveAt <= now) ?? this.#policies.at(-1);
    if (!found) throw new Error('the network has not been read');
    return found;
  }

  /** Active locations, nearest first; kept per city. */
  ranked(destination: Place): number[] {
    const key = `${destination.country}|${destination.province}|${destination.city}`;
    let ranked = this.#ranks.get(key);
    if (!ranked) {
      const active = [...this.locationById.values()].filter((l) => l.active).map((l) => ({ locationId: l.id, place: l.place, kind: l.kind }));
      ranked = rankLocations(destination, active);
      if (this.#ranks.size > 5_000) this.#ranks.clear();
      this.#ranks.set(key, ranked);
    }
    return ranked;
  }

  /** Whether a location keeps a SKU from every order at a moment. */
  blocked(locationId: number, skuId: number, at: Date): boolean { return this.#blocks.has(locationId, skuId, at); }

  /** What locations give of the shared stock to a channel at a moment; null where no location limits anything. Needs the SKUs loaded. */
  sharing(channelId: number, at: Date): Share | null { return this.#sharing?.for(channelId, at.getTime()) ?? null; }

  /** The allotment where a channel's orders look first: its own, else the shared stock. */
  allotmentOf(channelId: number): number { return this.#channelAllotment.get(channelId) ?? 0; }

  /** Where an order of this allotment finds units, in this order: own, then its parents as far as the overflow rules let it. A closed one is passed over. */
  chain(allotmentId: number): readonly ChainLink[] {
    let chain = this.#chains.get(allotmentId);
    if (!chain) this.#chains.set(allotmentId, (chain = overflowChain(this.allotments, allotmentId)));
    return chain;
  }

  /** Known SKUs are replaced, never forgotten: somebody may be about to ask for what he has just loaded. */
  async #rereadSkus(): Promise<void> {
    this.#skusChanged = false; // a change that comes from here on is read once more
    const known = [...this.#skuById.keys()];
    const fresh = known.length > 0 ? await this.#querySkus('id = any($1::int[])', known).catch((error: unknown) => {
      this.#skusChanged = true;
      throw error;
    }) : [];
    const left = new Set(fresh.map((s) => s.id));
    for (const id of known) {
      const sku = this.#skuById.get(id);
      if (left.has(id) || !sku) continue;
      this.#skuById.delete(id);
      this.#skus.delete(sku.code);
    }
    this.#keep(fresh);
  }

  /** Components are always known: an order may name their bundle only. */
  knownSku(code: string): Sku | undefined { return this.#skus.get(code) ?? this.#componentSkus.get(code); }

  /** What a bundle consists of; empty for any other SKU. */
  components(skuId: number): readonly Component[] { return this.#components.get(skuId) ?? NO_COMPONENTS; }

  /** Reads the SKUs of the codes that are not known yet; codes that do not exist stay unknown. */
  async loadSkus(codes: Iterable<string>): Promise<void> {
    const missing = [...new Set(codes)].filter((code) => !this.#skus.has(code));
    if (missing.length === 0) return;
    this.#keep(await this.#querySkus('code = any($1::text[])', missing));
  }

  async skusById(ids: Iterable<number>): Promise<Map<number, Sku>> {
    const wanted = [...new Set(ids)];
    const missing = wanted.filter((id) => !this.#skuById.has(id));
    const found = missing.length > 0 ? await this.#querySkus('id = any($1::int[])', missing) : [];
    this.#keep(found);
    const all = new Map(found.map((s) => [s.id, s]));
    return new Map(wanted.flatMap((id) => { const sku = all.get(id) ?? this.#skuById.get(id); return sku ? [[id, sku] as const] : []; }));
  }

  async #querySkus(where: string, values: readonly (string | number)[]): Promise<Sku[]> {
    const { rows } = await this.#pool.query<Sku>(
      `select ${SKU} from skus where ${where}`, [values]);
    return rows;
  }

  #keep(skus: Sku[]): void {
    if (this.#skus.size > SKU_CACHE) {
      this.#skus.clear();
      this.#skuById.clear();
    }
    for (const sku of skus) {
      this.#skus.set(sku.code, sku);
      this.#skuById.set(sku.id, sku);
    }
  }
}
