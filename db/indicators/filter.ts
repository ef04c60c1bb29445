/** What figures are of; absent: all. Days are ISO dates, both inclusive: of demand the location's business days, of stock those of UTC. */
export type IndicatorFilter = { from: string; to: string; sku?: number; category?: string; location?: number; channel?: number; region?: string };
export const INDICATOR_GROUPS = ['sku', 'category', 'location', 'region', 'channel'] as const;
export type IndicatorGroup = (typeof INDICATOR_GROUPS)[number];

export const DAY_MS = 86_400_000;
export const daysOf = ({ from, to }: Pick<IndicatorFilter, 'from' | 'to'>): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
/** The moments at which the first day begins and the last one ends. */
export const boundsOf = ({ from, to }: Pick<IndicatorFilter, 'from' | 'to'>): [Date, Date] => [new Date(Date.parse(from)), new Date(Date.parse(to) + DAY_MS)];
/** Stock has no channel and no region of a destination. */
export const hasStock = (by: IndicatorGroup | null, f: IndicatorFilter): boolean => by !== 'channel' && by !== 'region' && f.channel === undefined && f.region === undefined;
