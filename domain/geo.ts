import { foldedCity, foldedProvince } from './address/china.ts';

/** A place as routing sees it: named levels for zones, coordinates (degrees, WGS 84) for distance where they are known. */
export type Place = { country: string; province: string; city: string; lat: number | null; lon: number | null };
export type Zone = 'same_city' | 'same_province' | 'national' | 'international';

const EARTH_KM = 6371.0088; // mean radius, IUGG

/** Great-circle distance in km (haversine). */
export function distanceKm(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const rad = Math.PI / 180;
  const dLat = (b.lat - a.lat) * rad;
  const dLon = (b.lon - a.lon) * rad;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** How far a parcel goes. Names that mean one place (浙江 and 浙江省, Hangzhou and Hangzhou City) are one place. */
export function zone(from: Place, to: Place): Zone {
  if (from.country !== to.country) return 'international';
  if (from.province !== to.province && foldedProvince(from.country, from.province) !== foldedProvince(to.country, to.province)) return 'national';
  return from.city === to.city || foldedCity(from.city) === foldedCity(to.city) ? 'same_city' : 'same_province';
}

/** The key by which places of one name are found. */
export function placeKey(country: string, province: string, city: string): string { return `${country}|${foldedProvince(country, province)}|${foldedCity(city)}`; }

/** Stand-ins where coordinates are missing, km: only their order matters. */
const ZONE_KM: Record<Zone, number> = { same_city: 10, same_province: 200, national: 1_000, international: 8_000 };

/** Distance for ranking: true where both ends have coordinates, else by zone. */
export function rankKm(from: Place, to: Place): number {
  if (from.lat !== null && from.lon !== null && to.lat !== null && to.lon !== null) {
    return distanceKm({ lat: from.lat, lon: from.lon }, { lat: to.lat, lon: to.lon });
  }
  return ZONE_KM[zone(from, to)];
}
