import type pg from 'pg';
import type { SlowStock } from '../../domain/routing/slow-credit.ts';
import type { Term } from '../../domain/settlement/terms.ts';
import type { SimulatedSharing, SimulatedStock } from '../../domain/simulation/model.ts';
import type { Network } from '../network.ts';
import { baseSku } from './opening.ts';

type Period = { from: Date; to: Date };
const ms = (at: Date | null): number | null => at?.getTime() ?? null;

/** The stock with what decides about it beyond its units: dealers' terms, blocks that still stand, and what slow-mover alerts said in the period. */
export async function withRules(pool: pg.Pool, period: Period, skus: readonly string[], stock: readonly SimulatedStock[]): Promise<SimulatedStock[]> {
  const [termsOf, blocks, alerts] = [await readTerms(pool, period, skus), await readBlocks(pool, period, skus), await readAlerts(pool, period, skus)];
  return stock.map((s) => {
    const sku = baseSku(s.sku);
    const [terms, blocked, slow] = [termsOf(s.location, sku), blocks.get(`${s.location}|${sku}`), alerts.get(sku)];
    return { ...s, ...(terms.length > 0 ? { terms } : {}), ...(blocked ? { blocked } : {}), ...(slow ? { slow } : {}) };
  });
}

/** What dealers and vendors are owed for a SKU, each term until the next: the general ones until the SKU has its own. */
async function readTerms(pool: pg.Pool, { to }: Period, skus: readonly string[]): Promise<(location: string, sku: string) => NonNullable<SimulatedStock['terms']>> {
  const { rows } = await pool.query<{ location: string; sku: string | null; price: number | null; percent: number | null; from: Date }>(
    `select l.code location, k.code sku, t.price, t.percent_of_net percent, t.valid_from "from" from settlement_terms t join locations l on l.id = t.location_id left join skus k on k.id = t.sku_id
     where l.kind in ('dealer', 'vendor') and t.valid_from < $1 and (t.sku_id is null or k.code = any($2::text[])) order by t.valid_from`, [to, skus]);
  const by = new Map<string, ({ from: number } & Term)[]>();
  for (const { location, sku, price, percent, from } of rows) {
    const key = `${location}|${sku ?? ''}`;
    by.set(key, [...by.get(key) ?? [], { from: from.getTime(), ...(price !== null ? { price: Number(price) } : { percentOfNet: percent ?? 0 }) }]);
  }
  return (location, sku) => {
    const own = by.get(`${location}|${sku}`) ?? [];
    return [...(by.get(`${location}|`) ?? []).filter((t) => own[0] === undefined || t.from < own[0].from), ...own];
  };
}

async function readBlocks(pool: pg.Pool, { from, to }: Period, skus: readonly string[]): Promise<Map<string, NonNullable<SimulatedStock['blocked']>>> {
  const { rows } = await pool.query<{ key: string; at: Date; until: Date | null }>(
    `select l.code || '|' || k.code key, b.blocked_at at, b.until from location_sku_blocks b join locations l on l.id = b.location_id join skus k on k.id = b.sku_id
     where k.code = any($1::text[]) and b.blocked_at < $3 and (b.until is null or b.until > $2)`, [skus, from, to]);
  return new Map(rows.map((r) => [r.key, { from: r.at.getTime(), until: ms(r.until) }]));
}

async function readAlerts(pool: pg.Pool, { from, to }: Period, skus: readonly string[]): Promise<Map<string, NonNullable<SimulatedStock['slow']>>> {
  const { rows } = await pool.query<SlowStock & { sku: string; opened: Date; closed: Date | null }>(
    `select k.code sku, opened_at opened, closed_at closed, money_at_risk "moneyAtRisk", (coalesce((figures->>'onHand')::numeric, 0) + coalesce((figures->>'coming')::numeric, 0))::float8 stock, coalesce((figures->>'daysLeft')::numeric, 0)::float8 "daysLeft"
     from slow_mover_alerts a join skus k on k.id = a.sku_id where k.code = any($1::text[]) and kind = 'sku' and money_at_risk > 0 and opened_at < $3 and (closed_at is null or closed_at > $2) order by opened_at`, [skus, from, to]);
  const by = new Map<string, NonNullable<SimulatedStock['slow']>>();
  for (const { sku, opened, closed, ...slow } of rows) by.set(sku, [...by.get(sku) ?? [], { ...slow, from: opened.getTime(), until: ms(closed) }]);
  return by;
}

/** What locations share today; null where no location limits anything. */
export async function readSharing(pool: pg.Pool, network: Network, skus: readonly string[]): Promise<SimulatedSharing | null> {
  const { rows } = await pool.query<Omit<SimulatedSharing['rules'][number], 'hours'> & { from: number | null; to: number | null }>(
    `select r.id, l.code location, c.code channel, case when sku_ids is not null then array(select code from skus where id = any(sku_ids) order by 1) end skus, category, mode, value, from_minute "from", to_minute "to", weekdays, priority
     from sharing_rules r join locations l on l.id = r.location_id left join channels c on c.id = r.channel_id order by r.id`);
  if (rows.length === 0) return null;
  return {
    rules: rows.map(({ from, to, ...rule }) => ({ ...rule, hours: from === null || to === null ? null : { from, to } })),
    categories: Object.fromEntries(skus.flatMap((code) => { const category = network.knownSku(code)?.category; return category == null ? [] : [[code, category]]; })),
  };
}

/** What each line's units were paid for, one by one, without freight, by `order|line`: a dealer's percentage is of this. */
export async function readNets(pool: pg.Pool, orderIds: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ key: string; net: number; units: number }>(
    `select order_id || '|' || line_no key, (net_amount - freight_share)::float8 net, quantity units from order_lines where order_id = any($1::uuid[]) and quantity > 0`, [orderIds]);
  return new Map(rows.map((r) => [r.key, Math.round(r.net / r.units)]));
}
