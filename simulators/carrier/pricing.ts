import { chance } from '../shared/chance.ts';
import type { WaybillRequest } from './waybill.ts';

export interface Quote {
  /** Sorting centres on the way, 1–3. */
  readonly hops: number;
  readonly express: boolean;
  /** Minor units. */
  readonly price: number;
}

/** First kilogram and every further one begun, in minor units, by distance class 1–3: like a Chinese parcel tariff. */
const TARIFF: readonly (readonly [number, number])[] = [[600, 100], [900, 300], [1400, 800]];
const EXPRESS_FACTOR = 1.6;
const EXPRESS = /express|air|next|same|特快|次日/i;

/**
 * Distance class 1 inside a province; between two provinces 2 or 3, by a hash of the pair (a stand-in for a map: the same
 * both ways and in every run). Price = first kilogram + further ones, times 1.6 for an express service.
 */
export function quote(request: WaybillRequest): Quote {
  const { from, to } = request;
  const pair = [from.province, to.province].sort();
  const hops = from.province === to.province ? 1 : chance('distance', ...pair) < 0.6 ? 2 : 3;
  const [first, further] = TARIFF[hops - 1] as readonly [number, number];
  const kilograms = Math.max(1, Math.ceil(request.weightG / 1000));
  const express = EXPRESS.test(request.service);
  const price = Math.round((first + (kilograms - 1) * further) * (express ? EXPRESS_FACTOR : 1));
  return { hops, express, price };
}
