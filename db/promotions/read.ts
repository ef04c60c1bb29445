import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { PromotionInput } from '../../domain/promotion/model.ts';
import type { PromotionStatus } from './put.ts';

/** `state` at the moment it was asked for. Moments as ISO 8601. */
export type PromotionView = Omit<PromotionInput, 'status'> & {
  id: string; version: number; status: PromotionStatus; state: 'draft' | 'withdrawn' | 'scheduled' | 'live' | 'over'; endedAt: string | null;
  used: { orders: number; units: number; amount: number }; coupons: { issued: number; used: number; lapsed: number; revoked: number } | null;
};
type Row = {
  id: string; version: number; status: PromotionStatus; live_from: Date; live_until: Date; ended_at: Date | null; input: PromotionInput;
  orders: number; units: number; amount: number; c_issued: number; c_used: number; c_lapsed: number; c_revoked: number;
};

const SELECT = `select p.id, p.version, p.status, p.live_from, p.live_until, p.ended_at, p.input, r.orders, r.units, r.amount, c.* from promotions p
  cross join lateral (select count(*)::int orders, coalesce(sum(units), 0)::int units, coalesce(sum(amount), 0)::bigint amount from promotion_redemptions where promotion_id = p.id and given_back_at is null) r
  cross join lateral (select count(*) filter (where status = 'issued')::int c_issued, count(*) filter (where status = 'used')::int c_used, count(*) filter (where status = 'lapsed')::int c_lapsed,
    count(*) filter (where status = 'revoked')::int c_revoked from coupons where promotion_id = p.id) c`;

export async function readPromotion(pool: pg.Pool, code: string, now: Date): Promise<PromotionView> {
  const { rows: [row] } = await pool.query<Row>(`${SELECT} where p.code = $1`, [code]);
  if (!row) throw noSuchCode(code);
  return view(row, now);
}

/** The newest first; `before`: UUID of the last one of the page before. */
export async function listPromotions(pool: pg.Pool, now: Date, { before, limit, liveAt }: { before: string | null; limit: number; liveAt: Date | null }): Promise<PromotionView[]> {
  const { rows } = await pool.query<Row>(
    `${SELECT} where ($1::uuid is null or p.id < $1) and ($3::timestamptz is null or (p.status = 'active' and p.live_from <= $3 and least(p.live_until, coalesce(p.ended_at, p.live_until)) > $3)) order by p.id desc limit $2`,
    [before, limit, liveAt]);
  return rows.map((r) => view(r, now));
}

function view(r: Row, now: Date): PromotionView {
  const until = r.ended_at && r.ended_at < r.live_until ? r.ended_at : r.live_until;
  const state = r.status !== 'active' ? r.status : now >= until ? 'over' : now < r.live_from ? 'scheduled' : 'live';
  return {
    ...r.input, id: encodeId('prm', r.id), version: r.version, status: r.status, state, endedAt: r.ended_at?.toISOString() ?? null, used: { orders: r.orders, units: r.units, amount: r.amount },
    coupons: r.input.kind === 'coupon' ? { issued: r.c_issued, used: r.c_used, lapsed: r.c_lapsed, revoked: r.c_revoked } : null,
  };
}

/** The UUID of a promotion's code. Throws Problem `not_found`. */
export async function promotionId(pool: pg.Pool, code: string): Promise<string> {
  const { rows: [row] } = await pool.query<{ id: string }>('select id from promotions where code = $1', [code]);
  if (!row) throw noSuchCode(code);
  return row.id;
}

function noSuchCode(code: string): Problem { return new Problem('not_found', `promotion "${code}" does not exist`); }

export type RedemptionView = { order: string; coupon: string | null; units: number; amount: number; at: string; givenBackAt: string | null };

/** Which orders got it, the newest first. */
export async function listRedemptions(pool: pg.Pool, id: string, before: string | null, limit: number): Promise<RedemptionView[]> {
  const { rows } = await pool.query<{ order_id: string; coupon_id: string | null; units: number; amount: number; at: Date; given_back_at: Date | null }>(
    `select order_id, coupon_id, units, amount, at, given_back_at from promotion_redemptions where promotion_id = $1 and ($2::uuid is null or order_id < $2) order by order_id desc limit $3`, [id, before, limit]);
  return rows.map((r) => ({ order: encodeId('ord', r.order_id), coupon: r.coupon_id && encodeId('cpn', r.coupon_id), units: r.units, amount: r.amount, at: r.at.toISOString(), givenBackAt: r.given_back_at?.toISOString() ?? null }));
}

export type PromotionEventView = { type: string; at: string; actor: string; data: Record<string, unknown> | null };

export async function promotionEvents(pool: pg.Pool, id: string): Promise<PromotionEventView[]> {
  const { rows } = await pool.query<{ type: string; at: Date; actor: string; data: Record<string, unknown> | null }>('select type, at, actor, data from promotion_events where promotion_id = $1 order by id', [id]);
  return rows.map((r) => ({ ...r, at: r.at.toISOString() }));
}
