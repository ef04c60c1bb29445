import type pg from 'pg';
import type { StockWriter } from '../stock-writer.ts';
import { wakeReconciliation } from './wake.ts';

/** How a location's counts are judged. `windowS`: movements this close to the count may be in it or not; `pullEveryS`: how often the partner is asked, null: never. */
export type ReconciliationRule = { toleranceUnits: number; tolerancePercent: number; windowS: number; pullEveryS: number | null };

const COLUMNS = 'tolerance_units "toleranceUnits", tolerance_percent "tolerancePercent", window_s "windowS", pull_every_s "pullEveryS"';

/** The location's own rule, else the common one; a null location asks for the common one. */
export async function ruleOf(client: pg.ClientBase | pg.Pool, locationId: number | null): Promise<ReconciliationRule> {
  const { rows } = await client.query<ReconciliationRule>({
    name: 'reconciliation_rule',
    text: `select ${COLUMNS} from reconciliation_rules where location_id = $1::int or location_id is null order by location_id nulls last limit 1`,
    values: [locationId],
  });
  if (!rows[0]) throw new Error('the rule for all locations is missing from reconciliation_rules');
  return rows[0];
}

/** Sets a location's rule, or with null the one for all that have none. The workflows of those whose partner can be asked look at it. */
export async function putRule(writer: StockWriter, location: { id: number; code: string } | null, rule: ReconciliationRule): Promise<void> {
  await writer.change(async (tx) => {
    await tx.query(
      `insert into reconciliation_rules (location_id, tolerance_units, tolerance_percent, window_s, pull_every_s) values ($1, $2, $3, $4, $5)
       on conflict (location_id) do update set tolerance_units = excluded.tolerance_units, tolerance_percent = excluded.tolerance_percent,
         window_s = excluded.window_s, pull_every_s = excluded.pull_every_s`,
      [location?.id ?? null, rule.toleranceUnits, rule.tolerancePercent, rule.windowS, rule.pullEveryS]);
    const concerned = await tx.query<{ code: string }>(
      `select code from locations l where partner_url is not null and active and ($1::int = id or ($1::int is null and not exists (select from reconciliation_rules r where r.location_id = l.id)))`, [location?.id ?? null]);
    await wakeReconciliation(tx.client, concerned.map((l) => l.code), tx.now);
  });
}

/** Says how many base units of a SKU make one of this unit. */
export async function putUnit(pool: pg.Pool, skuId: number, unit: string, factor: number): Promise<void> {
  await pool.query('insert into sku_units (sku_id, unit, factor) values ($1, $2, $3) on conflict (sku_id, unit) do update set factor = excluded.factor', [skuId, unit, factor]);
}
