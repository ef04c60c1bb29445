import { askWorkflow } from '../outbox.ts';
import type { StockWriter } from '../stock-writer.ts';
import { campaignWorkflow } from './campaign.ts';

/** So long after it was to look, a campaign's workflow is taken to be lost or held up; and so long until it is asked for once more. */
const LATE_MS = 60_000;
const AGAIN_MS = 300_000;
const MOST = 100;

/**
 * Sees to it that campaigns are looked at: whose workflow was terminated, or whose wish never came to Temporal, is asked for again (it starts where it does not run), at most every five minutes and not while
 * a wish waits. Several workers at once ask once. Returns how many were asked for. Prices need nobody: they begin and end by their windows.
 */
export async function tendCampaigns(writer: StockWriter): Promise<number> {
  const late = new Date(writer.clock().getTime() - LATE_MS);
  const { rows: [some] } = await writer.pool.query<{ some: boolean }>({ name: 'campaigns_late', text: 'select exists (select from campaigns where reported_at is null and wake_at < $1) some', values: [late] });
  if (some?.some !== true) return 0;
  return writer.change(async (tx) => {
    const rows = await tx.query<{ id: string }>(
      `update campaigns set wake_at = $2 where id in (select id from campaigns where reported_at is null and wake_at < $1 order by wake_at limit ${MOST} for no key update skip locked) returning id`,
      [late, new Date(tx.now.getTime() + AGAIN_MS - LATE_MS)]);
    const refs = rows.map((r) => campaignWorkflow(r.id));
    const waiting = new Set((await tx.query<{ id: string }>('select workflow_id id from outbox where workflow_id = any($1::text[])', [refs.map((r) => r.id)])).map((r) => r.id));
    const lost = refs.filter((r) => !waiting.has(r.id));
    for (const ref of lost) await askWorkflow(tx, 'look', ref);
    return lost.length;
  });
}
