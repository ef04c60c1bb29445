import type pg from 'pg';
import type { TrackingRule } from '../../domain/order/silence.ts';

export type TrackingRuleView = TrackingRule & { carrier: string; changedBy: string; changedAt: string };
/** How the rule for all carriers is named outside, and inside. */
const DEFAULT = 'default';
const ALL = '*';

/** The rule for all, then those of single carriers. */
export async function listTrackingRules(pool: pg.Pool): Promise<TrackingRuleView[]> {
  const { rows } = await pool.query<TrackingRule & { carrier: string; changedBy: string; changed_at: Date }>(
    `select carrier, pickup_hours "pickupHours", stuck_hours "stuckHours", lost_hours "lostHours", returned, changed_by "changedBy", changed_at from tracking_rules order by carrier <> '*', carrier`);
  return rows.map(({ changed_at, ...r }) => ({ ...r, carrier: r.carrier === ALL ? DEFAULT : r.carrier, changedAt: changed_at.toISOString() }));
}

export async function putTrackingRule(pool: pg.Pool, carrier: string, rule: TrackingRule, actor: string, now: Date): Promise<void> {
  await pool.query(
    `insert into tracking_rules (carrier, pickup_hours, stuck_hours, lost_hours, returned, changed_by, changed_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (carrier) do update set pickup_hours = excluded.pickup_hours, stuck_hours = excluded.stuck_hours, lost_hours = excluded.lost_hours, returned = excluded.returned, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
    [carrier === DEFAULT ? ALL : carrier, rule.pickupHours, rule.stuckHours, rule.lostHours, rule.returned, actor, now]);
}
