import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { WorkflowRef } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export const ALERT_STATUSES = ['open', 'acknowledged', 'snoozed', 'in_campaign', 'closed'] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];
export type Alert = { id: string; status: AlertStatus; campaign: string | null };

/** `slow-movers`: looks at everything on its cadence; the name and the input stand in workflows/contract. */
export const SLOW_MOVERS: WorkflowRef = { type: 'slowMovers', id: 'slow-movers', input: { v: 1 } };

/** The UUID of an alert as a client names it. Throws Problem not_found. */
export function alertUuid(id: string): string {
  const uuid = decodeId('alr', id);
  if (uuid === null) throw noSuchAlert(id);
  return uuid;
}
export function noSuchAlert(id: string): Problem { return new Problem('not_found', `alert "${id}" does not exist`); }

export async function alertEvent(tx: Tx, id: string, type: string, actor: string, data: Record<string, unknown> | null = null): Promise<void> {
  await tx.query('insert into slow_mover_events (alert_id, type, at, actor, data) values ($1, $2, $3, $4, $5)', [id, type, tx.now, actor, data === null ? null : JSON.stringify(data)]);
}

async function lockAlert(tx: Tx, uuid: string): Promise<Alert> {
  const row = await tx.one<Alert>('select id, status, campaign from slow_mover_alerts where id = $1 for no key update', [uuid]);
  if (!row) throw noSuchAlert(encodeId('alr', uuid));
  return row;
}

/** Somebody has seen it. Again: no change. Throws Problem conflict where it is closed or in a campaign. */
export async function acknowledgeAlert(writer: StockWriter, uuid: string, note: string | null, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const alert = await lockAlert(tx, uuid);
    if (alert.status === 'acknowledged') return;
    mustBeOpen(alert);
    await tx.query(`update slow_mover_alerts set status = 'acknowledged', snoozed_until = null where id = $1`, [uuid]);
    await alertEvent(tx, uuid, 'alert.acknowledged', actor, note === null ? null : { note });
  });
}

/** Nobody wants to hear of it until then; an evaluation after that date opens it again, if its cause is still there. Throws Problem conflict, or `unprocessable` with a date that has passed. */
export async function snoozeAlert(writer: StockWriter, uuid: string, until: Date, reason: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    if (!(until > tx.now)) throw new Problem('unprocessable', 'it can be snoozed until a date to come only', '/until');
    mustBeOpen(await lockAlert(tx, uuid));
    await tx.query(`update slow_mover_alerts set status = 'snoozed', snoozed_until = $2 where id = $1`, [uuid, until]);
    await alertEvent(tx, uuid, 'alert.snoozed', actor, { until: until.toISOString(), reason });
  });
}

/**
 * An alert was turned into a campaign, in the campaign's own transaction: it stays with it until its cause is gone. `alertId` and `campaignId` as clients see them. The same campaign again: no
 * change. Throws Problem not_found; conflict where it is closed or another campaign's.
 */
export async function markAlertCampaign(tx: Tx, alertId: string, campaignId: string, actor = 'system'): Promise<void> {
  const uuid = alertUuid(alertId);
  const alert = await lockAlert(tx, uuid);
  if (alert.status === 'in_campaign') {
    if (alert.campaign === campaignId) return;
    throw new Problem('conflict', `the alert is campaign ${alert.campaign ?? ''}'s already`);
  }
  if (alert.status === 'closed') throw new Problem('conflict', 'the alert is closed: its cause is gone');
  await tx.query(`update slow_mover_alerts set status = 'in_campaign', campaign = $2, snoozed_until = null where id = $1`, [uuid, campaignId]);
  await alertEvent(tx, uuid, 'alert.campaign', actor, { campaign: campaignId });
}

/** The campaign was stopped or given up before it did anything: its alerts are open again. */
export async function releaseAlerts(tx: Tx, campaignId: string, actor = 'system'): Promise<void> {
  const rows = await tx.query<{ id: string }>(`update slow_mover_alerts set status = 'open', campaign = null where campaign = $1 and status = 'in_campaign' returning id`, [campaignId]);
  for (const { id } of rows) await alertEvent(tx, id, 'alert.opened', actor, { campaignEnded: campaignId });
}

function mustBeOpen(alert: Alert): void {
  if (alert.status === 'closed') throw new Problem('conflict', 'the alert is closed: its cause is gone');
  if (alert.status === 'in_campaign') throw new Problem('conflict', `the alert was turned into campaign ${alert.campaign ?? ''}`);
}
