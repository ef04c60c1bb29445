import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { StockWriter } from '../stock-writer.ts';

/** `day`: ISO 8601, a calendar day where the location is. */
export type ClosedDay = { day: string; reason: string };

/** Those that are not over yet (a day's grace for time zones), in order. */
export async function readClosedDays(pool: pg.Pool, locationId: number, now: Date): Promise<ClosedDay[]> {
  return (await pool.query<ClosedDay>('select day::text, reason from location_closed_days where location_id = $1 and day >= ($2::timestamptz)::date - 1 order by day', [locationId, now])).rows;
}

/** In place of those to come that were said before; past ones stay, for who looks back. Throws Problem `unprocessable` for a day that does not exist, is over, or is there twice. */
export async function putClosedDays(writer: StockWriter, locationId: number, days: readonly ClosedDay[]): Promise<void> {
  await writer.change(async (tx) => {
    const first = new Date(tx.now.getTime() - 86_400_000).toISOString().slice(0, 10);
    days.forEach(({ day }, i) => {
      const at = new Date(`${day}T00:00:00Z`);
      if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== day) throw new Problem('unprocessable', `"${day}" is no day of the calendar`, `/days/${i}/day`);
      if (day < first) throw new Problem('unprocessable', `${day} is over`, `/days/${i}/day`);
      if (days.findIndex((d) => d.day === day) !== i) throw new Problem('unprocessable', `${day} is there twice`, `/days/${i}/day`);
    });
    await tx.query('select 1 from locations where id = $1 for no key update', [locationId]);
    await tx.query('delete from location_closed_days where location_id = $1 and day >= $2::date', [locationId, first]);
    await tx.query('insert into location_closed_days (location_id, day, reason) select $1, d::date, r from unnest($2::text[], $3::text[]) as t(d, r)', [locationId, days.map((d) => d.day), days.map((d) => d.reason)]);
  });
}
