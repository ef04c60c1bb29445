import type pg from 'pg';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { Problem } from '../../domain/problem.ts';
import type { Promotion, Used } from '../../domain/promotion/model.ts';
import { NOTHING_USED } from '../../domain/promotion/select.ts';
import type { Channel, Network } from '../network.ts';
import type { Vault } from '../vault.ts';
import type { ListPrice } from './book.ts';
import { leftOf, readPools } from './pools.ts';

export type FactCoupon = { id: string; promotionId: string; personId: string | null; status: 'issued' | 'used' | 'lapsed' | 'revoked' };
/**
 * What the price of an order depends on beside the order, read before it is prepared; the capture checks it again under locks. `priced`: we price the order; else only gifts may be added. `coupons`: one for each
 * code given, null where nobody knows it. `staff`: null where none is named or it is nobody's number. `known`: the buyer is named.
 */
export type PromotionFacts = {
  priced: boolean; candidates: Promotion[]; prices: Map<string, ListPrice>; coupons: (FactCoupon | null)[]; staff: { id: number; group: string } | null; known: boolean; personId: string | null; used: Map<string, Used>;
};
type Deps = { pool: pg.Pool; network: Network; vault: Vault };

/** Whether we price an order: it has coupons, staff, a line without price, or asks for it. Throws Problem where the channel's prices are facts. */
export function isPricedHere(intake: OrderIntake, channel: Channel): boolean {
  const unpriced = intake.lines.findIndex((l) => l.unitPrice === undefined);
  const field = (intake.coupons ?? []).length > 0 ? '/coupons' : intake.staff ? '/staff' : intake.promotions ? '/promotions' : unpriced >= 0 ? `/lines/${unpriced}/unitPrice` : null;
  if (field === null) return false;
  if (channel.intakeMode !== 'strict') throw new Problem('unprocessable', `what was paid on channel ${channel.code} is a fact: give every line its unitPrice and discounts, and no coupons, staff or promotions`, field);
  if ((intake.type ?? 'retail') !== 'retail') throw new Problem('unprocessable', 'promotions and list prices are for retail orders: give every line its unitPrice', field);
  return true;
}

/** The buyer's keyed hash: by phone, e-mail, or id on the channel; null where nobody is named. A phone that the platform shows in part only is many people's. */
export function identityOf(intake: Pick<OrderIntake, 'buyer' | 'shipTo'>, channel: Channel, vault: Vault): Buffer | null {
  const { buyer, shipTo } = intake;
  const phone = buyer?.phone ?? (shipTo.sealed === undefined ? shipTo.phone : undefined);
  const name = phone ? phone : buyer?.email ?? (buyer?.id ? `${channel.code}|${buyer.id}` : null);
  return name === null ? null : vault.hash('buyer', name);
}

/** Reads them; null for an order that no promotion concerns, without a statement. The SKUs of its lines must be loaded. */
export async function readPromotionFacts({ pool, network, vault }: Deps, intake: OrderIntake, now: Date): Promise<PromotionFacts | null> {
  const channel = network.channels.get(intake.channel);
  if (!channel) return null; // refused when it is prepared
  const priced = isPricedHere(intake, channel);
  const book = network.promotions;
  if (!priced && ((intake.type ?? 'retail') !== 'retail' || !book.hasGifts(channel.code))) return null;
  const known = intake.lines.flatMap((l) => network.knownSku(l.sku) ?? []);
  const prices = priced ? await book.prices(channel.id, intake.currency, known) : new Map<string, ListPrice>();
  const coupons = await readCoupons(pool, vault, intake.coupons ?? []);
  const staff = intake.staff === undefined ? null : (await pool.query<{ id: number; group: string }>({
    name: 'staff_member', text: 'select id, staff_group "group" from staff_members where staff_hash = $1 and active', values: [vault.hash('staff', intake.staff.id)] })).rows[0] ?? null;
  const candidates = book.candidates(now.getTime(), known.map((k) => ({ sku: k.code, category: k.category })));
  await network.loadSkus(candidates.flatMap((p) => (p.kind === 'gift' ? p.terms.gifts.map((g) => g.sku) : [])));
  const limited = candidates.filter((p) => p.perCustomerOrders !== null || p.perCustomerUnits !== null || p.perStaffUnits !== null || p.budget !== null || p.pool !== null);
  const identity = identityOf(intake, channel, vault);
  const { personId, used } = limited.length > 0 || coupons.some((c) => c?.personId) ? await readUsed(pool, identity, staff?.id ?? null, limited) : { personId: null, used: new Map<string, Used>() };
  return { priced, candidates, prices, coupons, staff, known: identity !== null, personId, used };
}

async function readCoupons(pool: pg.Pool, vault: Vault, codes: readonly string[]): Promise<(FactCoupon | null)[]> {
  if (codes.length === 0) return [];
  const hashes = codes.map((c) => vault.hash('coupon', c));
  const { rows } = await pool.query<FactCoupon & { hash: Buffer }>({
    name: 'coupons_by_code', text: 'select id, promotion_id "promotionId", person_id "personId", status, code_hash hash from coupons where code_hash = any($1::bytea[])', values: [hashes] });
  return hashes.map((h) => rows.find((r) => r.hash.equals(h)) ?? null);
}

async function readUsed(pool: pg.Pool, identity: Buffer | null, staffId: number | null, promotions: readonly Promotion[]): Promise<{ personId: string | null; used: Map<string, Used> }> {
  const { rows } = await pool.query<{ person: string | null; id: string | null; subject: string; orders: number; units: number; amount: number }>({
    name: 'promotion_used',
    text: `select p.id person, u.promotion_id id, u.subject, u.orders, u.units, u.amount from (select (select id from persons where identity_hash = $1) id) p
      left join promotion_usage u on u.promotion_id = any($2::uuid[]) and (u.subject = 'all' or u.subject = 'p:' || p.id::text or u.subject = 's:' || $3::int::text)`,
    values: [identity, promotions.map((p) => p.id), staffId],
  });
  const pools = await readPools(pool, promotions.flatMap((p) => p.pool ?? []));
  const used = new Map<string, Used>(promotions.flatMap((p) => (p.pool === null ? [] : [[p.id, { ...NOTHING_USED, poolLeft: leftOf(pools, p.pool) }] as const])));
  for (const r of rows) {
    if (r.id === null) continue;
    const u = { ...used.get(r.id) ?? NOTHING_USED };
    if (r.subject === 'all') u.amount = r.amount;
    else if (r.subject.startsWith('p:')) [u.customerOrders, u.customerUnits] = [r.orders, r.units];
    else u.staffUnits = r.units;
    used.set(r.id, u);
  }
  return { personId: rows[0]?.person ?? null, used };
}
