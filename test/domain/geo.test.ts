import { expect, test } from 'vitest';
import { distanceKm, rankKm, zone, type Place } from '../../domain/geo.ts';

const shanghai: Place = { country: 'CN', province: 'Shanghai', city: 'Shanghai', lat: 31.23, lon: 121.47 };
const beijing: Place = { country: 'CN', province: 'Beijing', city: 'Beijing', lat: 39.9, lon: 116.4 };
const suzhou: Place = { country: 'CN', province: 'Jiangsu', city: 'Suzhou', lat: null, lon: null };
const nanjing: Place = { ...suzhou, city: 'Nanjing' };

test('great circles', () => {
  expect(distanceKm({ lat: 31.23, lon: 121.47 }, { lat: 39.9, lon: 116.4 })).toBeCloseTo(1067.5, 0);
  expect(distanceKm({ lat: 0, lon: 0 }, { lat: 0, lon: 180 })).toBeCloseTo(Math.PI * 6371.0088, 6);
  expect(distanceKm({ lat: 10, lon: 20 }, { lat: 10, lon: 20 })).toBe(0);
});

test('zones', () => {
  expect([zone(shanghai, shanghai), zone(suzhou, nanjing), zone(shanghai, beijing), zone(shanghai, { ...shanghai, country: 'JP' })]).toEqual(['same_city', 'same_province', 'national', 'international']);
  // A city of the same name elsewhere is another city.
  expect(zone({ ...suzhou, province: 'Anhui' }, suzhou)).toBe('national');
});

test('distance by coordinates where both ends have them, else by zone', () => {
  expect(rankKm(shanghai, beijing)).toBeCloseTo(1067.5, 0);
  expect([rankKm(suzhou, suzhou), rankKm(suzhou, nanjing), rankKm(shanghai, suzhou), rankKm(suzhou, { ...suzhou, country: 'JP' })]).toEqual([10, 200, 1_000, 8_000]);
});
