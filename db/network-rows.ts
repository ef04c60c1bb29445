import type pg from 'pg';
import type { Place } from '../domain/geo.ts';
import type { AuditRule } from '../domain/order/audit.ts';
import type { Hours } from '../domain/promising/hours.ts';
import type { Ladder } from '../domain/promising/ladder.ts';
import type { InstancePolicy } from '../domain/routing/model.ts';
import type { RateCard } from '../domain/routing/types.ts';
import type { Allotment } from '../domain/stock/overflow.ts';
import type { SharingRule } from '../domain/stock/sharing.ts';
import type { Block } from './network-blocks.ts';
import { SKU_COLUMNS, type Sku } from './sku-book.ts';

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
  /** when it accepts orders: its own hours, else those usual for its kind */
  openMinutes: number; closeMinutes: number;
};
/** A routing policy that is or will be in effect. */
export type ActivePolicy = { id: number; hash: Buffer; effectiveAt: Date; policy: InstancePolicy };
export type Carrier = { code: string; name: string; baseUrl: string | null; secret: Buffer | null; active: boolean; dailyCapacity: number | null };
/** An address that a carrier does not serve; null: any. */
export type CarrierRefusal = { carrier: string; service: string | null; country: string; province: string | null; city: string | null; postcodePrefix: string | null; reason: string };
/** Units of another SKU in one bundle; `priceShare` is a weight. */
export type Component = { sku: Sku; quantity: number; priceShare: number | null };
export type ApiKey = { id: number; name: string; scopes: ReadonlySet<string>; locationId: number | null; carrier: string | null };

/** What the small tables say, as they are stored. */
export type NetworkRows = Awaited<ReturnType<typeof readNetworkRows>>;

/** Reads the small tables whole. */
export async function readNetworkRows(pool: pg.Pool) {
  const q = <T extends pg.QueryResultRow>(text: string) => pool.query<T>(text).then((r) => r.rows);
  const channels = await q<Channel>(`select id, code, name, platform, intake_mode "intakeMode", currency, payment_window_s "paymentWindowS",
    backorder_window_s "backorderWindowS", merge_window_s "mergeWindowS", return_window_s "returnWindowS", supply_horizon_s "supplyHorizonS", min_life_days "minLifeDays", deposit_refundable "depositRefundable", active,
    accept_timeout_s "acceptTimeoutS", reroute_after_s "rerouteAfterS", pickup_ready_s "pickupReadyS" from channels`);
  const locations = await q<Omit<Location, 'place' | keyof Hours> & { [K in keyof Hours]: number | null } & { country: string; province: string; city: string; lat: number | null; lon: number | null }>(
    `select id, code, name, kind, country, province, city, lat, lon, time_zone "timeZone", cutoff_minutes "cutoffMinutes",
     handling_minutes "handlingMinutes", work_days "workDays",
     array(select day::text from location_closed_days d where d.location_id = locations.id and day > current_date - 400 order by 1) "closedDays", handling_cost "handlingCost", accept_timeout_s "acceptTimeoutS",
     partner_url "partnerUrl", partner_secret "partnerSecret", active, daily_capacity "dailyCapacity", handling_unit_cost "handlingUnitCost",
     takes_hazardous "takesHazardous", takes_oversized "takesOversized",
     reroute_after_s "rerouteAfterS", no_capacity_pause_s "noCapacityPauseS", closed_pause_s "closedPauseS", open_minutes "openMinutes", close_minutes "closeMinutes" from locations order by id`);
  const places = await q<{ country: string; province: string; city: string; lat: number; lon: number }>('select * from places');
  const carriers = await q<Carrier>('select code, name, base_url "baseUrl", secret, active, daily_capacity "dailyCapacity" from carriers');
  const rates = await q<RateCard>(`select r.carrier, r.zone, first_weight_g "firstWeightG", first_cost "firstCost", step_g "stepG", step_cost "stepCost",
    transit_days "transitDays", volumetric_mm3_per_g "volumetricMm3PerG", max_weight_g "maxWeightG", takes_hazardous hazardous,
    r.service, r.cutoff_minutes "cutoffMinute", p.late_risk "lateRisk" from carrier_rates r join carriers on code = carrier and active
    left join carrier_performance p on (p.carrier, p.service, p.zone) = (r.carrier, r.service, r.zone) order by r.carrier, r.zone, r.service`);
  const refusals = await q<CarrierRefusal>('select carrier, service, country, province, city, postcode_prefix "postcodePrefix", reason from carrier_refusals order by id');
  const blocks = await q<Block>('select location_id "locationId", sku_id "skuId", reason, until from location_sku_blocks');
  const pauses = await q<{ id: number; until: Date }>('select location_id id, until from location_pauses');
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
    `select b.bundle_sku_id bundle, b.quantity units, b.price_share "priceShare", ${SKU_COLUMNS} from bundle_components b join skus on id = b.component_sku_id order by 1, b.position`);
  const sharing = await q<Omit<SharingRule, 'skuIds' | 'hours'> & { skuIds: number[] | null; from: number | null; to: number | null }>(
    `select id, location_id "locationId", channel_id "channelId", sku_ids "skuIds", category, mode, value, from_minute "from", to_minute "to", weekdays, priority from sharing_rules`);
  return { channels, locations, places, carriers, rates, refusals, blocks, pauses, policies, ladders, rules, keys, allotments, components, sharing };
}
