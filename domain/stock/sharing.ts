import { offsetMinutes } from '../promising/promise.ts';

export type SharingMode = 'all' | 'none' | 'percent' | 'cap';
/**
 * What a location shares of the shared stock. `channelId`, `skuIds`, `category`: whom and what it is for, null for all. `value`: percent (0–100) or units.
 * `hours`: minutes after midnight in the location's zone, past midnight where from > to. `weekdays`: 1 (Monday) to 7, of the day on which the hours begin.
 * A lower `priority` comes first.
 */
export type SharingRule = {
  id: number; locationId: number; channelId: number | null; skuIds: ReadonlySet<number> | null; category: string | null; mode: SharingMode; value: number | null;
  hours: { from: number; to: number } | null; weekdays: readonly number[] | null; priority: number;
};
/** Units of `free` ones of a SKU that a location gives to one channel now. */
export type Share = (skuId: number, locationId: number, free: number) => number;

const MINUTE = 60_000;
const DAY_MINUTES = 1440;

/** SKUs before a category before neither, then a channel before every channel. */
function specificity(rule: SharingRule): number {
  return (rule.skuIds ? 4 : rule.category !== null ? 2 : 0) + (rule.channelId === null ? 0 : 1);
}

/** Whether a rule's hours are now. `at`: ms since epoch; `timeZone`: IANA name. */
export function isOpen(rule: SharingRule, timeZone: string, at: number): boolean {
  if (!rule.hours && !rule.weekdays) return true;
  const local = Math.floor(at / MINUTE) + offsetMinutes(timeZone, at);
  const minute = local % DAY_MINUTES;
  // 1970-01-01 was a Thursday (4).
  const weekday = (days: number): number => ((days + 3) % 7) + 1;
  const today = Math.floor(local / DAY_MINUTES);
  const on = (days: number): boolean => rule.weekdays === null || rule.weekdays.includes(weekday(days));
  if (!rule.hours) return on(today);
  const { from, to } = rule.hours;
  if (from < to) return minute >= from && minute < to && on(today);
  return (minute >= from && on(today)) || (minute < to && on(today - 1));
}

/** Units that a rule gives of `free` ones; a part of a unit is kept. */
export function sharedUnits(rule: Pick<SharingRule, 'mode' | 'value'>, free: number): number {
  if (free <= 0 || rule.mode === 'none') return 0;
  if (rule.mode === 'percent') return Math.floor((free * (rule.value ?? 0)) / 100);
  return rule.mode === 'cap' ? Math.min(free, rule.value ?? 0) : free;
}

type Timed = SharingRule & { readonly weight: number; minute: number; open: boolean };

/**
 * The sharing rules of all locations. Of the rules that match, those that name most count; of these the first by priority (then the older) whose hours are now.
 * When none of them is open nothing is shared; a location where no rule matches shares all.
 */
export class SharingBook {
  readonly #rules = new Map<number, Timed[]>();
  readonly #zoneOf: (locationId: number) => string;
  readonly #categoryOf: (skuId: number) => string | null;

  constructor(rules: readonly SharingRule[], zoneOf: (locationId: number) => string, categoryOf: (skuId: number) => string | null) {
    this.#zoneOf = zoneOf;
    this.#categoryOf = categoryOf;
    for (const rule of rules) {
      const at = this.#rules.get(rule.locationId) ?? [];
      at.push({ ...rule, weight: specificity(rule), minute: -1, open: false });
      this.#rules.set(rule.locationId, at);
    }
    for (const at of this.#rules.values()) at.sort((a, b) => b.weight - a.weight || a.priority - b.priority || a.id - b.id);
  }

  /** Units of `free` ones that a location gives to a channel at a moment (ms since epoch). */
  units(skuId: number, locationId: number, channelId: number, at: number, free: number): number {
    const rules = this.#rules.get(locationId);
    if (!rules) return free;
    let weight = -1;
    for (const rule of rules) {
      if (weight > rule.weight) break;
      if (!this.#matches(rule, skuId, channelId)) continue;
      if (this.#open(rule, at)) return sharedUnits(rule, free);
      weight = rule.weight;
    }
    return weight < 0 ? free : 0;
  }

  /** What all locations give to one channel at one moment. */
  for(channelId: number, at: number): Share { return (skuId, locationId, free) => this.units(skuId, locationId, channelId, at, free); }

  #matches(rule: Timed, skuId: number, channelId: number): boolean {
    return (rule.channelId === null || rule.channelId === channelId) && (rule.skuIds === null || rule.skuIds.has(skuId)) && (rule.category === null || rule.category === this.#categoryOf(skuId));
  }

  #open(rule: Timed, at: number): boolean {
    const minute = Math.floor(at / MINUTE);
    if (rule.minute !== minute) {
      rule.open = isOpen(rule, this.#zoneOf(rule.locationId), at);
      rule.minute = minute;
    }
    return rule.open;
  }
}

/** The free units of levels (0 allotment: the shared stock), cut down to what each location shares; those that come first are cut last. */
export function limitLevels<T extends { skuId: number; locationId: number; allotmentId: number; free: number }>(levels: readonly T[], share: Share | null): readonly T[] {
  if (!share) return levels;
  const left = new Map<string, number>();
  for (const { skuId, locationId, allotmentId, free } of levels) {
    if (allotmentId !== 0) continue;
    const key = `${skuId}|${locationId}`;
    left.set(key, (left.get(key) ?? 0) + Math.max(0, free));
  }
  for (const [key, free] of left) {
    const [skuId, locationId] = key.split('|').map(Number);
    left.set(key, share(skuId ?? 0, locationId ?? 0, free));
  }
  return levels.map((level) => {
    if (level.allotmentId !== 0) return level;
    const key = `${level.skuId}|${level.locationId}`;
    const units = Math.max(0, Math.min(level.free, left.get(key) ?? 0));
    left.set(key, (left.get(key) ?? 0) - units);
    return { ...level, free: units };
  });
}

/**
 * How much may be taken of what is there and of what is coming, so that never more of both together leaves than is shared. `free`: units there, `coming`: units to come.
 */
export function shareOf(share: Share | null, skuId: number, locationId: number, free: number, coming: number): { there: number; coming: number } {
  if (!share) return { there: free, coming };
  const there = share(skuId, locationId, free);
  return { there, coming: coming === 0 ? 0 : share(skuId, locationId, free + coming) - there };
}
