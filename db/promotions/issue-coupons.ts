import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';
import { noSuchPromotion } from './put.ts';

/** `batch`: your name for this issue. For persons of the vault, one each, or for whoever has them. */
export type CouponWish = { batch: string } & ({ count: number } | { persons: readonly string[] });
/** `id`: UUID. The code is kept nowhere: `couponCode` derives it again. */
export type IssuedCoupon = { id: string; code: string; personId: string | null };

/** What a customer types for a coupon. */
export function couponCode(vault: Vault, couponId: string): string { return vault.couponCode(couponId); }

/**
 * Issues single-use codes of a coupon promotion, each batch once: again it answers the same codes. Throws Problem: `not_found`, `unprocessable` for another kind,
 * `conflict` when the batch was issued with another number or the promotion is over.
 */
export async function issueCoupons(tx: Tx, vault: Vault, promotionId: string, wish: CouponWish): Promise<IssuedCoupon[]> {
  const promotion = await tx.one<{ kind: string; status: string; until: Date }>(
    'select kind, status, least(live_until, coalesce(ended_at, live_until)) until from promotions where id = $1 for no key update', [promotionId]);
  if (!promotion) throw noSuchPromotion(promotionId);
  if (promotion.kind !== 'coupon') throw new Problem('unprocessable', `promotion ${encodeId('prm', promotionId)} is a ${promotion.kind}: only a coupon has codes`);
  const persons: (string | null)[] = 'persons' in wish ? [...new Set(wish.persons)] : Array.from({ length: wish.count }, () => null);
  const known = await tx.query<{ id: string; personId: string | null }>('select id, person_id "personId" from coupons where promotion_id = $1 and batch = $2 order by batch_no', [promotionId, wish.batch]);
  if (known.length > 0) {
    const before = new Set(known.map((k) => k.personId));
    if (known.length !== persons.length || !persons.every((p) => before.has(p))) throw new Problem('conflict', `batch "${wish.batch}" was issued before, to others or in another number: ${known.length} codes`, '/batch');
    return known.map((k) => ({ ...k, code: couponCode(vault, k.id) }));
  }
  if (promotion.status === 'withdrawn' || promotion.until <= tx.now) throw new Problem('conflict', `promotion ${encodeId('prm', promotionId)} is over: its coupons could not be used`);
  const made = persons.map((personId) => {
    const id = uuidv7();
    return { id, code: couponCode(vault, id), personId };
  });
  await tx.query(
    `insert into coupons (id, promotion_id, batch, batch_no, code_hash, person_id, issued_at)
     select i, $1, $2, n, h, p, $3 from unnest($4::uuid[], $5::bytea[], $6::uuid[]) with ordinality as t(i, h, p, n)`,
    [promotionId, wish.batch, tx.now, made.map((m) => m.id), made.map((m) => vault.hash('coupon', m.code)), made.map((m) => m.personId)]);
  return made;
}

/** Coupons that nobody has used yet are worth nothing any more; all, or a batch. Returns how many. */
export async function revokeCoupons(tx: Tx, promotionId: string, batch: string | null = null): Promise<number> {
  const rows = await tx.query<{ id: string }>(
    `select id from coupons where promotion_id = $1 and status = 'issued' and ($2::text is null or batch = $2) order by id for no key update`, [promotionId, batch]);
  await tx.query(`update coupons set status = 'revoked' where id = any($1::uuid[]) and status = 'issued'`, [rows.map((r) => r.id)]);
  return rows.length;
}
