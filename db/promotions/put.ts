import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { faultOf } from '../../domain/promotion/check.ts';
import type { PromotionInput } from '../../domain/promotion/model.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { canonical } from '../capture/prepare.ts';
import type { Network } from '../network.ts';
import type { Actor, Tx } from '../tx.ts';

export type PromotionStatus = 'draft' | 'active' | 'withdrawn';
export type PutPromotion = { id: string; code: string; version: number; status: PromotionStatus };
type Stored = { id: string; version: number; status: PromotionStatus; liveFrom: Date; endedAt: Date | null; input: PromotionInput };

/** Kinds of which two that do not stack stand in each other's way on a SKU; coupons and gifts are chosen order by order. */
const EXCLUSIVE = ['markdown', 'staff_price', 'bundle', 'threshold'];
/** What may still change once customers may have seen it. */
const MUTABLE = new Set(['name', 'until', 'budget', 'perCustomer', 'perStaffUnits', 'stage', 'status']);

/**
 * Writes a promotion by its code: the same content again changes nothing, other content makes a new version. Left out, `status` is draft for a new one and stays for another. Answers the UUID.
 * Throws Problem, and then nothing is changed: `unprocessable` with the field, `unknown_sku`, `unknown_channel`, `conflict` (with `other` where another promotion stands in the way).
 */
export async function putPromotion(tx: Tx, network: Network, input: PromotionInput, actor: Actor): Promise<PutPromotion> {
  await oneAtATime(tx);
  const stored = await readStored(tx, 'code', input.code);
  const status = input.status ?? (stored?.status === 'active' ? 'active' : 'draft');
  const same = stored !== null && canonical(content(stored.input)) === canonical(content(input));
  if (stored && same && stored.status === status) return { id: stored.id, code: input.code, version: stored.version, status };
  if (stored) checkChange(stored, input, status, tx.now);
  const skuIds = await knownSkus(tx, input);
  const channelIds = knownChannels(network, input);
  const fault = faultOf(input, await listPrices(tx, input, channelIds));
  if (fault) throw new Problem('unprocessable', fault.message, fault.field);
  const id = stored?.id ?? uuidv7();
  if (status === 'active') await refuseClash(tx, id, input, [...skuIds.values()], channelIds);
  const version = (stored?.version ?? 0) + 1;
  await tx.query(
    `insert into promotions (id, code, name, kind, status, currency, channel_ids, categories, live_from, live_until, bearer, priority, stackable, terms, per_customer_orders, per_customer_units,
       per_staff_units, budget, campaign_id, stage, version, created_at, input)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
     on conflict (id) do update set (name, kind, status, currency, channel_ids, categories, live_from, live_until, bearer, priority, stackable, terms, per_customer_orders, per_customer_units,
       per_staff_units, budget, campaign_id, stage, version, input)
       = (excluded.name, excluded.kind, excluded.status, excluded.currency, excluded.channel_ids, excluded.categories, excluded.live_from, excluded.live_until, excluded.bearer, excluded.priority, excluded.stackable,
       excluded.terms, excluded.per_customer_orders, excluded.per_customer_units, excluded.per_staff_units, excluded.budget, excluded.campaign_id, excluded.stage, excluded.version, excluded.input)`,
    [id, input.code, input.name, input.kind, status, input.currency, channelIds, input.categories ?? [], new Date(input.from), new Date(input.until), input.bearer, input.priority ?? 100, input.stackable ?? true,
      JSON.stringify(input.terms), input.perCustomer?.orders ?? null, input.perCustomer?.units ?? null, input.perStaffUnits ?? null, input.budget ?? null, input.campaignId ?? null, input.stage ?? null,
      version, tx.now, JSON.stringify({ ...input, status: undefined })]);
  await tx.query('delete from promotion_skus where promotion_id = $1', [id]);
  const items = scopeOf(input);
  await tx.query('insert into promotion_skus (promotion_id, sku_id, price, floor) select $1, * from unnest($2::int[], $3::bigint[], $4::bigint[])',
    [id, items.map((s) => skuIds.get(s.sku)), items.map((s) => s.price ?? null), items.map((s) => s.floor ?? null)]);
  await promotionEvent(tx, id, stored ? (same ? 'promotion.activated' : 'promotion.changed') : 'promotion.made', actor, { version, status });
  return { id, code: input.code, version, status };
}

/** From draft to active, under the same checks. Again: no change. */
export async function activatePromotion(tx: Tx, network: Network, id: string, actor: Actor): Promise<PutPromotion> {
  const stored = await readStored(tx, 'id', id);
  if (!stored) throw noSuchPromotion(id);
  return putPromotion(tx, network, { ...stored.input, status: 'active' }, actor);
}

export function noSuchPromotion(id: string): Problem { return new Problem('not_found', `promotion ${encodeId('prm', id)} does not exist`); }

export async function promotionEvent(tx: Tx, id: string, type: string, actor: Actor, data: Record<string, unknown>): Promise<void> {
  await tx.query('insert into promotion_events (promotion_id, type, at, actor, data) values ($1, $2, $3, $4, $5)', [id, type, tx.now, actor, JSON.stringify(data)]);
}

/** Two activations must see each other: they are rare, so one at a time. */
async function oneAtATime(tx: Tx): Promise<void> { await tx.query(`select pg_advisory_xact_lock(hashtext('promotions'))`); }

async function readStored(tx: Tx, by: 'id' | 'code', value: string): Promise<Stored | null> {
  return tx.one<Stored>(`select id, version, status, live_from "liveFrom", ended_at "endedAt", input from promotions where ${by} = $1 for no key update`, [value]);
}

const content = ({ status: _status, ...rest }: PromotionInput): Omit<PromotionInput, 'status'> => rest;

function checkChange(stored: Stored, input: PromotionInput, status: PromotionStatus, now: Date): void {
  if (stored.status === 'withdrawn' || stored.endedAt !== null) throw new Problem('conflict', `promotion "${input.code}" is over: take a new code`, '/code');
  if (stored.status === 'draft') return;
  if (status === 'draft') throw new Problem('conflict', `promotion "${input.code}" is active: end it instead`, '/status');
  if (stored.liveFrom > now) return;
  const before = stored.input as unknown as Record<string, unknown>;
  const after = input as unknown as Record<string, unknown>;
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().find((k) => !MUTABLE.has(k) && canonical(before[k] ?? null) !== canonical(after[k] ?? null));
  if (changed !== undefined) throw new Problem('conflict', `promotion "${input.code}" has begun: end it and put another; only its window's end, budget and limits change`, `/${changed}`);
  if (new Date(input.until) <= now) throw new Problem('unprocessable', 'until lies in the past: end the promotion instead', '/until');
}

/** SKUs with what is said of them; of a bundle its items too. */
function scopeOf(input: PromotionInput): { sku: string; price?: number; floor?: number }[] {
  const named = input.skus ?? [];
  if (input.kind !== 'bundle') return named;
  return [...named, ...input.terms.items.filter((x) => !named.some((s) => s.sku === x.sku)).map(({ sku }) => ({ sku }))];
}

async function knownSkus(tx: Tx, input: PromotionInput): Promise<Map<string, number>> {
  const named = (input.skus ?? []).map((s, i) => ({ sku: s.sku, field: `/skus/${i}/sku` }));
  if (input.kind === 'bundle') named.push(...input.terms.items.map((x, i) => ({ sku: x.sku, field: `/terms/items/${i}/sku` })));
  if (input.kind === 'gift') named.push(...input.terms.gifts.map((x, i) => ({ sku: x.sku, field: `/terms/gifts/${i}/sku` })));
  const rows = await tx.query<{ id: number; code: string }>('select id, code from skus where code = any($1::text[]) and active', [named.map((n) => n.sku)]);
  const ids = new Map(rows.map((r) => [r.code, r.id]));
  const unknown = named.find((n) => !ids.has(n.sku));
  if (unknown) throw new Problem('unknown_sku', `SKU "${unknown.sku}" is not known or not active`, unknown.field);
  return new Map(scopeOf(input).map((s) => [s.sku, ids.get(s.sku) as number]));
}

function knownChannels(network: Network, input: PromotionInput): number[] | null {
  if (input.channels === undefined) return null;
  return input.channels.map((code, i) => {
    const channel = network.channels.get(code);
    if (!channel?.active) throw new Problem('unknown_channel', `channel "${code}" is not known or not active`, `/channels/${i}`);
    if (channel.currency !== input.currency) throw new Problem('unprocessable', `channel ${code} takes ${channel.currency}, not ${input.currency}`, `/channels/${i}`);
    return channel.id;
  });
}

/** The lowest list price of each SKU among the channels: a channel's own goes before that of all. */
async function listPrices(tx: Tx, input: PromotionInput, channelIds: number[] | null): Promise<Map<string, number>> {
  const rows = await tx.query<{ code: string; price: number }>(
    `select s.code, min(p.price) price from skus s join sku_prices p on p.sku_id = s.id and p.currency = $2 and ($3::smallint[] is null or p.channel_id is null or p.channel_id = any($3))
     where s.code = any($1::text[]) group by 1`, [(input.skus ?? []).map((s) => s.sku), input.currency, channelIds]);
  return new Map(rows.map((r) => [r.code, r.price]));
}

async function refuseClash(tx: Tx, id: string, input: PromotionInput, skuIds: number[], channelIds: number[] | null): Promise<void> {
  if (!EXCLUSIVE.includes(input.kind)) return;
  const other = await tx.one<{ id: string; code: string }>(
    `with mine as (select id, category from skus where id = any($2::int[]))
     select o.id, o.code from promotions o where o.id <> $1 and o.status = 'active' and o.currency = $3
       and o.live_from < $5 and least(o.live_until, coalesce(o.ended_at, o.live_until)) > $4 and least(o.live_until, coalesce(o.ended_at, o.live_until)) > o.live_from
       and (o.channel_ids is null or $6::smallint[] is null or o.channel_ids && $6)
       and ((o.kind = $7 and $7 in ('markdown', 'staff_price')) or (not o.stackable and not $8 and o.kind = any($9::text[])))
       and ((not exists (select 1 from mine) and $10::text[] = '{}')
         or (o.categories = '{}' and not exists (select 1 from promotion_skus s where s.promotion_id = o.id))
         or o.categories && $10
         or exists (select 1 from mine m where m.category = any(o.categories))
         or exists (select 1 from promotion_skus s join skus k on k.id = s.sku_id where s.promotion_id = o.id and (k.id = any($2) or k.category = any($10))))
     order by o.live_from, o.id limit 1`,
    [id, skuIds, input.currency, new Date(input.from), new Date(input.until), channelIds, input.kind, input.stackable ?? true, EXCLUSIVE, input.categories ?? []]);
  if (other) throw new Problem('conflict', `promotion "${other.code}" (${encodeId('prm', other.id)}) is active for the same SKU at the same time: end one of them first`, '/skus', { other: encodeId('prm', other.id), code: other.code });
}
