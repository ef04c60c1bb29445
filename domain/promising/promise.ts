export type PromiseInput = {
  orderedAt: Date;
  scheduledFrom: Date | null;
  location: { timeZone: string; cutoffMinutes: number; handlingMinutes: number; workDays: readonly number[]; closedDays?: readonly string[] };
  transitDays: number;
  /** the zone in which the destination counts its days; absent: the location's */
  arrivesIn?: string | undefined;
};

const MINUTE = 60_000;
const DAY = 86_400_000;
const MOST_DAYS = 1_000;
const QUARTER = 15 * MINUTE;
/** Of a zone: offsets change on full quarter hours only, so a quarter is looked up once. */
type Zone = { format: Intl.DateTimeFormat; offsets: Map<number, number> };
const zones = new Map<string, Zone>();

/** Offset of a zone (IANA name) from UTC at a moment (ms since epoch), minutes. */
export function offsetMinutes(timeZone: string, at: number): number {
  let zone = zones.get(timeZone);
  if (!zone) {
    zone = { format: new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' }), offsets: new Map() };
    zones.set(timeZone, zone);
  }
  const quarter = Math.floor(at / QUARTER);
  let offset = zone.offsets.get(quarter);
  if (offset === undefined) {
    const part: Record<string, number> = {};
    for (const { type, value } of zone.format.formatToParts(quarter * QUARTER)) part[type] = Number(value);
    const local = Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute']);
    offset = Math.round((local - quarter * QUARTER) / MINUTE);
    if (zone.offsets.size > 10_000) zone.offsets.clear();
    zone.offsets.set(quarter, offset);
  }
  return offset;
}

/** The calendar day (ISO date) in a zone at a moment (ms since epoch). */
export function dayAt(timeZone: string, at: number): string {
  return new Date(at + offsetMinutes(timeZone, at) * MINUTE).toISOString().slice(0, 10);
}

/** The instant of a local wall-clock time, given as if it were UTC; a time that a clock change skips moves on by the gap. */
export function toInstant(timeZone: string, local: number): number {
  const guess = local - offsetMinutes(timeZone, local) * MINUTE;
  return local - offsetMinutes(timeZone, guess) * MINUTE;
}

/** Whether a location works on a day: local midnight, as if it were UTC. */
export function worksOn({ workDays, closedDays = [] }: Pick<PromiseInput['location'], 'workDays' | 'closedDays'>, day: number): boolean {
  // 1970-01-01 was a Thursday (4).
  return workDays.includes(((day / DAY + 3) % 7) + 1) && (closedDays.length === 0 || !closedDays.includes(new Date(day).toISOString().slice(0, 10)));
}

/**
 * When a location can have an order out of the house and when the carrier then arrives. An order before the cut-off goes out that working day, else the next; `shipBy` is
 * its cut-off plus handling, `deliverBy` the end (18:00 where it arrives, so that the dates of all who send there agree) of the day `transitDays` calendar days later. Days 1 (Monday) to 7.
 * `closedDays`: ISO dates of the location's calendar. Throws RangeError when the location never works.
 */
export function promise(input: PromiseInput): { shipBy: Date; deliverBy: Date } {
  const { timeZone, cutoffMinutes, handlingMinutes, workDays } = input.location;
  if (workDays.length === 0) throw new RangeError('a location without working days cannot promise anything');
  const from = Math.max(input.orderedAt.getTime(), input.scheduledFrom?.getTime() ?? 0);
  const local = from + offsetMinutes(timeZone, from) * MINUTE;
  let day = Math.floor(local / DAY) * DAY;
  if (local - day > cutoffMinutes * MINUTE) day += DAY;
  for (let left = MOST_DAYS; !worksOn(input.location, day); left--) {
    if (left === 0) throw new RangeError('a location that is closed for years cannot promise anything');
    day += DAY;
  }
  const shipBy = toInstant(timeZone, day + cutoffMinutes * MINUTE) + handlingMinutes * MINUTE;
  const shipDay = Math.floor((shipBy + offsetMinutes(timeZone, shipBy) * MINUTE) / DAY) * DAY;
  const deliverBy = toInstant(input.arrivesIn ?? timeZone, shipDay + input.transitDays * DAY + 18 * 60 * MINUTE);
  return { shipBy: new Date(shipBy), deliverBy: new Date(Math.max(deliverBy, shipBy)) };
}
