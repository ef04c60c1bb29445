import type pg from 'pg';
import { canonicalNames } from '../domain/address/china.ts';
import { AddressBook, type Known } from '../domain/address/known.ts';
import { placeKey, type Place } from '../domain/geo.ts';
import type { AuditRule } from '../domain/order/audit.ts';
import type { Ladder } from '../domain/promising/ladder.ts';
import { usualHours } from '../domain/promising/hours.ts';
import { rankLocations } from '../domain/routing/first-fit.ts';
import type { RateCard } from '../domain/routing/types.ts';
import { overflowChain, type Allotment, type ChainLink } from '../domain/stock/overflow.ts';
import { SharingBook, type Share } from '../domain/stock/sharing.ts';
import { Blocks } from './network-blocks.ts';
import { readNetworkRows, type ActivePolicy, type ApiKey, type Carrier, type CarrierRefusal, type Channel, type Component, type Location } from './network-rows.ts';
import { NetworkWatch } from './network-watch.ts';
import { createPool } from './pool.ts';
import { PromotionBook } from './promotions/book.ts';
import { SkuBook, type Sku } from './sku-book.ts';

export type { ActivePolicy, ApiKey, Carrier, CarrierRefusal, Channel, Component, Location, LocationKind } from './network-rows.ts';
export type { Sku } from './sku-book.ts';

const NO_COMPONENTS: readonly Component[] = [];
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
  #pauses = new Map<number, Date>();
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
  #places = new Map<string, { lat: number; lon: number }>();
  #addresses = new AddressBook([]);
  #ranks = new Map<string, number[]>();
  #reloading: Promise<void> | null = null;
  #again = false;
  readonly promotions: PromotionBook;
  readonly #pool: pg.Pool;
  readonly #skus: SkuBook;
  readonly #watch: NetworkWatch;

  private constructor(url: string) {
    // Connections of its own: it is asked from within transactions, which hold one of the common pool and would wait for a second.
    this.#pool = createPool(url, 2);
    this.promotions = new PromotionBook(this.#pool);
    this.#skus = new SkuBook(this.#pool);
    this.#watch = new NetworkWatch(url, (table) => (table !== null && PROMOTION_TABLES.has(table) ? this.promotions.reload() : this.reload(table === null || table === 'skus')));
  }

  static async open(url: string): Promise<Network> {
    const network = new Network(url);
    try {
      await network.#watch.listen();
      await network.reload();
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#watch.close();
    await this.#reloading?.catch(() => undefined); // told to whoever asked for it
    await this.#pool.end();
  }

  /** Reads everything again (`skus`: the SKUs that are known, too); calls that arrive meanwhile share one more reading. */
  async reload(skus = true): Promise<void> {
    if (skus) this.#skus.outdated();
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
    const { channels, locations, places, carriers, rates, refusals, blocks, pauses, policies, ladders, rules, keys, allotments, components, sharing } = await readNetworkRows(this.#pool);
    if (policies.length === 0) throw new Error('no routing policy is active: activate a row of routing_policies');

    this.#places = new Map(places.map((p) => [placeKey(p.country, p.province, p.city), { lat: p.lat, lon: p.lon }]));
    this.channels = new Map(channels.map((c) => [c.code, c]));
    this.channelById = new Map(channels.map((c) => [c.id, c]));
    const withPlace = locations.map(({ country, province, city, lat, lon, openMinutes, closeMinutes, ...l }): Location => ({
      ...l, ...(openMinutes === null || closeMinutes === null ? usualHours(l.kind) : { openMinutes, closeMinutes }), place: { country, province, city, lat, lon },
    }));
    this.locations = new Map(withPlace.map((l) => [l.code, l]));
    this.locationById = new Map(withPlace.map((l) => [l.id, l]));
    this.#addresses = new AddressBook([...places, ...withPlace.map((l) => l.place)]);
    this.carriers = new Map(carriers.map((c) => [c.code, c]));
    this.rates = rates;
    this.refusals = refusals;
    this.#blocks = new Blocks(blocks);
    this.#pauses = new Map(pauses.map((p) => [p.id, p.until]));
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
      (id) => this.locationById.get(id)?.timeZone ?? 'UTC', (id) => (this.#skus.id(id) ?? this.#componentSkuById.get(id))?.category ?? null);
    await this.promotions.reload();
    await this.#skus.refresh();
  }

  /** A destination under its canonical names, with coordinates where its city is known. */
  place(country: string, province: string, city: string): Place {
    const at = this.#places.get(placeKey(country, province, city));
    return { country, ...canonicalNames(country, province, city), lat: at?.lat ?? null, lon: at?.lon ?? null };
  }

  /** What is known of an address: by China's divisions and by what is on file. */
  known(country: string, province: string, city: string): Known { return this.#addresses.look(country, province, city); }

  /** The routing policy in effect: of the active ones the newest whose time has come. */
  policyAt(now: Date): ActivePolicy {
    // Asked for every order at capture: no closure, no dates compared as objects.
    const at = now.getTime();
    for (const p of this.#policies) if (p.effectiveAt.getTime() <= at) return p;
    const found = this.#policies.at(-1);
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

  /** The time zone in which a destination counts its days, as far as we know: that of the active location nearest to it. All who send there date by it. */
  zoneOf(destination: Place): string | undefined {
    const nearest = this.ranked(destination)[0];
    return nearest === undefined ? undefined : this.locationById.get(nearest)?.timeZone;
  }

  /** Whether a location keeps a SKU from every order at a moment. */
  blocked(locationId: number, skuId: number, at: Date): boolean { return this.#blocks.has(locationId, skuId, at); }

  /** Whether any pause was there when it was read last; it may be over. */
  get anyPause(): boolean { return this.#pauses.size > 0; }

  /** The end of the pause that a location makes at a moment; null: it takes orders. */
  pausedUntil(locationId: number, at: Date): Date | null {
    const until = this.#pauses.size === 0 ? undefined : this.#pauses.get(locationId);
    return until && until.getTime() > at.getTime() ? until : null;
  }

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

  /** Components are always known: an order may name their bundle only. */
  knownSku(code: string): Sku | undefined { return this.#skus.code(code) ?? this.#componentSkus.get(code); }

  /** Whether a SKU (loaded) is hazardous or oversized. */
  isDelicate(skuId: number): boolean {
    const sku = this.#skus.id(skuId) ?? this.#componentSkuById.get(skuId);
    return sku !== undefined && (sku.hazardous || sku.oversized);
  }

  /** What a bundle consists of; empty for any other SKU. */
  components(skuId: number): readonly Component[] { return this.#components.get(skuId) ?? NO_COMPONENTS; }

  /** Reads the SKUs of the codes that are not known yet; codes that do not exist stay unknown. */
  loadSkus(codes: Iterable<string>): Promise<void> { return this.#skus.load(codes); }

  skusById(ids: Iterable<number>): Promise<Map<number, Sku>> { return this.#skus.byId(ids); }
}
