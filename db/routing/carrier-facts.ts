import { foldedCity, foldedProvince } from '../../domain/address/china.ts';
import { zone, type Place } from '../../domain/geo.ts';
import type { InstanceOrder } from '../../domain/routing/model.ts';
import type { RateCard } from '../../domain/routing/types.ts';
import type { CarrierRefusal, Location, Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import type { Reader } from './reader.ts';

type Address = { country: string; province: string; city: string; postcode?: string };

/** The minute after local midnight at which a location's parcels are ready for carriers. */
export function readyMinute(location: Pick<Location, 'cutoffMinutes' | 'handlingMinutes'>): number { return (location.cutoffMinutes + location.handlingMinutes) % 1440; }

/** The same place, however it is written: 新疆 and 新疆维吾尔自治区, 杭州 and 杭州市. */
const sameProvince = (country: string, a: string, b: string): boolean => a === b || foldedProvince(country, a) === foldedProvince(country, b);
const sameCity = (a: string, b: string): boolean => a === b || foldedCity(a) === foldedCity(b);

/** Why a carrier does not serve an address with a service; null: it does. Without a postcode, what is refused by postcode is not known yet. */
export function refusal(refusals: readonly CarrierRefusal[], carrier: string, service: string, to: Address): string | null {
  const postcode = to.postcode?.replaceAll(' ', '').toUpperCase();
  return refusals.find((r) => r.carrier === carrier && (r.service === null || r.service === service) && r.country === to.country && (r.province === null || sameProvince(r.country, r.province, to.province))
    && (r.city === null || sameCity(r.city, to.city)) && (r.postcodePrefix === null || postcode?.startsWith(r.postcodePrefix.replaceAll(' ', '').toUpperCase()) === true))?.reason ?? null;
}

/** Days that the standard service takes at least from a location to a destination, a missed cut-off included; where there is none, any service. Infinity: nobody goes there. */
export function transitDays(network: Network, location: Location, destination: Place): number {
  const to = zone(location.place, destination);
  const ready = readyMinute(location);
  let [standard, any] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const r of network.rates) {
    if (r.zone !== to || (network.refusals.length > 0 && refusal(network.refusals, r.carrier, r.service, destination) !== null)) continue;
    const days = r.transitDays + (r.cutoffMinute !== null && ready > r.cutoffMinute ? 1 : 0);
    if (days < any) any = days;
    if (r.service === 'standard' && days < standard) standard = days;
  }
  return Number.isFinite(standard) ? standard : any;
}

/** Carriers that do not take an order: the address is refused, or they have as many parcels today (UTC) as they can take. */
export async function refusedCarriers(tx: Reader, network: Network, to: Address): Promise<NonNullable<InstanceOrder['refused']>> {
  return addressRefusals(network, to, await fullCarriers(tx, network));
}

/** Carriers' services that do not go to an address, whatever the day; and those of `full` carriers, with that as the reason. */
export function addressRefusals(network: Network, to: Address, full: ReadonlyMap<string, string> = new Map()): NonNullable<InstanceOrder['refused']> {
  const seen = new Set<string>();
  return network.rates.flatMap(({ carrier, service }: RateCard) => {
    if (seen.has(`${carrier}|${service}`)) return [];
    seen.add(`${carrier}|${service}`);
    const reason = full.get(carrier) ?? refusal(network.refusals, carrier, service, to);
    return reason === null ? [] : [{ carrier, service, reason }];
  });
}

/** Where a carrier takes only so many parcels a day, decisions about them follow one another, so that two never take the last place. After orders, before levels. */
export async function lockCarrierDays(tx: Tx, network: Network): Promise<void> {
  if ([...network.carriers.values()].some((c) => c.dailyCapacity !== null)) await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:carrier-days'))`);
}

/** Carriers whose capacity of today is taken, with that as the reason. Parcels are counted as fulfillment orders: how many each becomes is not known before it is packed. */
export async function fullCarriers(tx: Reader, network: Network): Promise<Map<string, string>> {
  const limited = [...network.carriers.values()].filter((c) => c.dailyCapacity !== null);
  if (limited.length === 0) return new Map();
  const rows = await tx.query<{ carrier: string; parcels: number }>(
    `select carrier, count(*)::int parcels from fulfillment_orders where carrier = any($1::text[]) and routed_at >= date_trunc('day', $2::timestamptz at time zone 'UTC') at time zone 'UTC'
     and status not in ('rejected', 'cancelled') group by 1`, [limited.map((c) => c.code), tx.now]);
  return new Map(rows.flatMap(({ carrier, parcels }) => {
    const most = network.carriers.get(carrier)?.dailyCapacity ?? null;
    return most !== null && parcels >= most ? [[carrier, `its ${most} parcels of today are taken`] as const] : [];
  }));
}
