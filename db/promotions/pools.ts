import type pg from 'pg';

/** Budgets that promotions share: a stage of a campaign and the campaign itself (`campaign_budgets`), by `CAMPAIGN/STAGE`; stage 0 is the campaign. A pool without a row has no limit. */
export type Pool = { key: string; budget: number | null; most: number | null; spent: number };
export type Pools = Map<string, Pool>;

const SELECT = `select campaign_id::text || '/' || stage key, budget, most, spent from campaign_budgets where campaign_id = any($1::uuid[])`;
const campaignOf = (key: string): string => key.slice(0, key.indexOf('/'));
const wholeOf = (key: string): string => `${campaignOf(key)}/0`;

/** Every pool of the campaigns that these are of. `lock`: for capture and for what gives back; after the counters of promotions, by campaign and stage. */
export async function readPools(client: pg.Pool | pg.ClientBase, keys: readonly string[], lock = false): Promise<Pools> {
  const campaigns = [...new Set(keys.map(campaignOf))].sort();
  if (campaigns.length === 0) return new Map();
  const { rows } = await client.query<Pool>(lock
    ? { name: 'pools_lock', text: `${SELECT} order by campaign_id, stage for no key update`, values: [campaigns] } : { name: 'pools_read', text: SELECT, values: [campaigns] });
  return new Map(rows.map((r) => [r.key, r]));
}

/** What a pool can still give, minor units; null: no limit. */
export function leftOf(pools: Pools, key: string): number | null {
  const [stage, whole] = [pools.get(key), pools.get(wholeOf(key))];
  if (!stage) return null;
  const limits = [...(stage.budget === null ? [] : [stage.budget - stage.spent]), ...(stage.most === null ? [] : [stage.most - (whole?.spent ?? 0)])];
  return limits.length === 0 ? null : Math.min(...limits);
}

/** Counts an amount in a pool and its campaign, in memory. */
export function takeFrom(pools: Pools, key: string, amount: number): void {
  for (const k of [key, wholeOf(key)]) {
    const pool = pools.get(k);
    if (pool) pools.set(k, { ...pool, spent: pool.spent + amount });
  }
}

/** Writes what was taken (negative: given back) of pools that are locked. */
export async function countPools(client: pg.ClientBase, amounts: ReadonlyMap<string, number>): Promise<void> {
  const sums = new Map<string, number>();
  for (const [key, amount] of amounts) for (const k of [key, wholeOf(key)]) sums.set(k, (sums.get(k) ?? 0) + amount);
  if (sums.size === 0) return;
  await client.query({
    name: 'pools_count', text: 'update campaign_budgets b set spent = b.spent + t.a from unnest($1::uuid[], $2::int[], $3::bigint[]) as t(c, s, a) where b.campaign_id = t.c and b.stage = t.s',
    values: [[...sums.keys()].map(campaignOf), [...sums.keys()].map((k) => Number(k.slice(k.indexOf('/') + 1))), [...sums.values()]],
  });
}
