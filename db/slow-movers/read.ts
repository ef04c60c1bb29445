import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import type { Severity, Trigger } from '../../domain/slow-movers/assess.ts';
import { noSuchAlert, type AlertStatus } from './alert.ts';

/** Times ISO 8601; money minor units. */
export type AlertView = {
  id: string; kind: 'sku' | 'sku_region' | 'category' | 'all'; sku: string | null; category: string | null; country: string | null; region: string | null; status: AlertStatus; severity: Severity; moneyAtRisk: number; triggers: Trigger[];
  figures: Record<string, number | null>; openedAt: string; seenAt: string; snoozedUntil: string | null; campaign: string | null; closedAt: string | null;
};
export type AlertFilter = { status: AlertStatus | null; severity: Severity | null; sku: string | null; category: string | null; country: string | null; region: string | null; before: string | null; limit: number };
type Row = Omit<AlertView, 'openedAt' | 'seenAt' | 'snoozedUntil' | 'closedAt'> & { openedAt: Date; seenAt: Date; snoozedUntil: Date | null; closedAt: Date | null };
const HEAD = `select a.id, a.kind, k.code sku, a.category, a.country, a.region, a.status, a.severity, a.money_at_risk "moneyAtRisk", a.triggers, a.figures, a.opened_at "openedAt", a.seen_at "seenAt",
  a.snoozed_until "snoozedUntil", a.campaign, a.closed_at "closedAt" from slow_mover_alerts a left join skus k on k.id = a.sku_id`;
const view = (r: Row): AlertView => ({
  ...r, id: encodeId('alr', r.id), openedAt: r.openedAt.toISOString(), seenAt: r.seenAt.toISOString(), snoozedUntil: r.snoozedUntil?.toISOString() ?? null, closedAt: r.closedAt?.toISOString() ?? null,
});

/** The newest first; without a status those that are not closed. */
export async function listAlerts(pool: pg.Pool, f: AlertFilter): Promise<AlertView[]> {
  const { rows } = await pool.query<Row>(
    `${HEAD} where ($1::text is null and a.closed_at is null or a.status = $1) and ($2::text is null or a.severity = $2) and ($3::text is null or k.code = $3) and ($4::text is null or a.category = $4)
       and ($5::text is null or a.region = $5) and ($6::uuid is null or a.id < $6) and ($8::text is null or a.country = $8) order by a.id desc limit $7`, [f.status, f.severity, f.sku, f.category, f.region, f.before, f.limit, f.country]);
  return rows.map(view);
}

/** The open alerts with most money at risk. */
export async function topAlerts(pool: pg.Pool, limit: number): Promise<AlertView[]> {
  return (await pool.query<Row>(`${HEAD} where a.closed_at is null and a.status <> 'snoozed' order by a.money_at_risk desc, a.id limit $1`, [limit])).rows.map(view);
}

/** With its timeline. Throws Problem not_found. */
export async function readAlert(pool: pg.Pool, uuid: string): Promise<AlertView & { events: { type: string; at: string; actor: string; data: unknown }[] }> {
  const { rows: [row] } = await pool.query<Row>(`${HEAD} where a.id = $1`, [uuid]);
  if (!row) throw noSuchAlert(encodeId('alr', uuid));
  const { rows: events } = await pool.query<{ type: string; at: Date; actor: string; data: unknown }>('select type, at, actor, data from slow_mover_events where alert_id = $1 order by id', [uuid]);
  return { ...view(row), events: events.map((e) => ({ ...e, at: e.at.toISOString() })) };
}
