import type { Place, Zone } from '../geo.ts';

export type { Place, Zone };
export type LocationKind = 'warehouse' | 'store' | 'dealer' | 'third_party' | 'vendor';
/** Which kind comes first where all else is the same. */
export const KIND_RANK: Readonly<Record<LocationKind, number>> = { warehouse: 0, third_party: 1, store: 2, vendor: 3, dealer: 4 };

/** Weights in grams, money in minor units; null: no volumetric weight, no limit. */
export type RateCard = {
  carrier: string; zone: Zone; firstWeightG: number; firstCost: number; stepG: number; stepCost: number; transitDays: number;
  volumetricMm3PerG: number | null; maxWeightG: number | null; hazardous: boolean;
  service: string;
  /** minutes after the location's midnight up to which it is taken along the same day; null: all day */
  cutoffMinute: number | null;
  /** per mille of its parcels that come later than `transitDays`, as measured; null: not known */
  lateRisk: number | null;
};
