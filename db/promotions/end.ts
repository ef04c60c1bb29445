import type { Actor, Tx } from '../tx.ts';
import { noSuchPromotion, promotionEvent, type PromotionStatus } from './put.ts';

/**
 * Ends a promotion at a moment (a draft is withdrawn): captures whose business time is that or later do not get it. An earlier end stands, and an end is never taken back. Returns false when nothing
 * changed. Throws Problem `not_found`.
 */
export async function endPromotion(tx: Tx, id: string, at: Date, actor: Actor, reason: string | null = null): Promise<boolean> {
  const row = await tx.one<{ status: PromotionStatus; until: Date }>(
    `select status, least(live_until, coalesce(ended_at, live_until)) until from promotions where id = $1 for no key update`, [id]);
  if (!row) throw noSuchPromotion(id);
  if (row.status === 'withdrawn' || (row.status === 'active' && row.until <= at)) return false;
  await tx.query(`update promotions set status = case when status = 'draft' then 'withdrawn' else status end, ended_at = $2, version = version + 1 where id = $1`, [id, at]);
  await promotionEvent(tx, id, 'promotion.ended', actor, { at: at.toISOString(), reason });
  return true;
}
