import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../transaction.ts';
import type { Vault } from '../vault.ts';

export type AccountLimits = Record<string, { perSecond: number; burst: number }>;
/** An account as it is configured. `secrets` in clear, in memory only. `hookKey`: the unguessable part of the address that is pushed to. `follows`, `asks`: carriers of ours. */
export type CarrierAccount = {
  code: string; kind: string; settings: Record<string, unknown>; secrets: Record<string, string>; hookKey: string; limits: AccountLimits; follows: string[]; asks: string[]; updatedAt: Date;
};
type Row = Omit<CarrierAccount, 'secrets'> & { secrets: Buffer | null };
const COLUMNS = 'code, kind, settings, secrets, hook_key "hookKey", limits, follows, asks, updated_at "updatedAt"';
const FRESH_MS = 2_000;

/** The accounts as one process knows them, read again after two seconds: a push must not wait for the database, and a changed secret must count soon. */
export class AccountBook {
  readonly #pool: pg.Pool;
  readonly #vault: Vault;
  #known: { at: number; accounts: Promise<Map<string, CarrierAccount>> } | null = null;

  constructor(pool: pg.Pool, vault: Vault) {
    this.#pool = pool;
    this.#vault = vault;
  }

  async all(): Promise<Map<string, CarrierAccount>> {
    if (!this.#known || performance.now() - this.#known.at >= FRESH_MS) {
      const accounts = this.#read();
      this.#known = { at: performance.now(), accounts };
      accounts.catch(() => { this.#known = null; });
    }
    return this.#known.accounts;
  }

  async find(code: string): Promise<CarrierAccount | null> { return (await this.all()).get(code) ?? null; }

  async #read(): Promise<Map<string, CarrierAccount>> {
    const { rows } = await this.#pool.query<Row>({ name: 'carrier_accounts', text: `select ${COLUMNS} from carrier_accounts order by code` });
    return new Map(rows.map((row) => [row.code, { ...row, secrets: row.secrets === null ? {} : JSON.parse(this.#vault.openSecret(row.secrets)) as Record<string, string> }]));
  }
}

/** Makes or changes an account. Secrets that are not given stay as they were, unless it is of another kind now. What it has refused is tried again. */
export async function putAccount(
  pool: pg.Pool, vault: Vault,
  account: Pick<CarrierAccount, 'code' | 'kind' | 'settings' | 'secrets' | 'limits' | 'follows' | 'asks'> & { newHookKey: boolean }, now: Date,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rows: [old] } = await client.query<Row>(`select ${COLUMNS} from carrier_accounts where code = $1 for update`, [account.code]);
    const known = old?.secrets && old.kind === account.kind ? JSON.parse(vault.openSecret(old.secrets)) as Record<string, string> : {};
    const secrets = { ...known, ...account.secrets };
    await client.query(
      `insert into carrier_accounts (code, kind, settings, secrets, hook_key, limits, follows, asks, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
       on conflict (code) do update set kind = excluded.kind, settings = excluded.settings, secrets = excluded.secrets, limits = excluded.limits, follows = excluded.follows, asks = excluded.asks,
         updated_at = excluded.updated_at, hook_key = case when $10 then excluded.hook_key else carrier_accounts.hook_key end`,
      [account.code, account.kind, JSON.stringify(account.settings), vault.sealSecret(JSON.stringify(secrets)), randomBytes(24).toString('base64url'), JSON.stringify(account.limits), account.follows, account.asks, now, account.newHookKey]);
    // Another account's token opens nothing here; the same account said again keeps its own, for which its code or refresh token may be spent.
    if (Object.entries(account.secrets).some(([name, value]) => known[name] !== value)) await client.query('delete from carrier_tokens where account = $1', [account.code]);
    await retryAccount(client, account.code, now);
  });
}

/**
 * The account has been put anew: what has failed with it goes at once, and parcels and labels that it had refused are asked for again. A number that it would not take back stays with it, and a parcel that it has
 * given up is announced anew in its time: too early counts there as announced before.
 */
async function retryAccount(client: pg.ClientBase, account: string, now: Date): Promise<void> {
  await client.query(
    `update parcel_follows f set state = 'due', attempts = 0, due_at = $2, done_at = null from parcels p
     where p.id = f.parcel_id and f.account = $1 and ((f.state = 'due' and f.error is not null) or (f.state = 'refused' and p.milestone not in ('delivered', 'returned', 'lost')))`, [account, now]);
  await client.query(
    `update waybills set label_state = case when label_state = 'refused' and state = 'issued' and label_id is null then 'due' else label_state end, attempts = 0, due_at = $2
     where account = $1 and (state = 'void' or label_state = 'due' or (label_state = 'refused' and state = 'issued'))`, [account, now]);
}

/** Forgets an account; what it was asked for stays. True where there was one. */
export async function deleteAccount(pool: pg.Pool, code: string): Promise<boolean> {
  return ((await pool.query('delete from carrier_accounts where code = $1', [code])).rowCount ?? 0) > 0;
}

/** Counts a push that was not believed. Nothing of it is kept. */
export async function countCarrierRejection(pool: pg.Pool, account: string, reason: string, now: Date): Promise<void> {
  await pool.query({
    name: 'carrier_push_rejected',
    text: `insert into carrier_rejections as r (account, day, reason, count) values ($1, $2::timestamptz::date, $3, 1) on conflict (account, day, reason) do update set count = r.count + 1`,
    values: [account, now, reason],
  });
}

export type BalanceView = { carrier: string; branch: string; left: number | null; at: string };
/** What an account said of the numbers it has left; what it no longer names is forgotten. */
export async function saveBalances(pool: pg.Pool, account: string, balances: readonly { carrier: string; branch: string; left: number | null }[], now: Date): Promise<void> {
  for (const { carrier, branch, left } of balances) {
    await pool.query('insert into waybill_balances (account, carrier, branch, remaining, at) values ($1, $2, $3, $4, $5) on conflict (account, carrier, branch) do update set remaining = excluded.remaining, at = excluded.at', [account, carrier, branch, left, now]);
  }
  await pool.query('delete from waybill_balances where account = $1 and at < $2', [account, now]);
}

/** How an account is doing: pushes that were not believed in the last week, what waits and what for, what was refused. */
export async function accountState(pool: pg.Pool, code: string, now: Date): Promise<{ rejectedPushes: Record<string, number>; waybills: Record<string, number>; announcements: Record<string, number>; balances: BalanceView[]; waitsFor: string[] }> {
  const count = async (sql: string, ...values: unknown[]): Promise<Record<string, number>> =>
    Object.fromEntries((await pool.query<{ key: string; n: number }>(sql, [code, ...values])).rows.map((r) => [r.key, r.n]));
  return {
    rejectedPushes: await count('select reason key, sum(count)::int n from carrier_rejections where account = $1 and day > $2::timestamptz::date - 7 group by 1 order by 1', now),
    waybills: await count('select state key, count(*)::int n from waybills where account = $1 group by 1 order by 1'),
    announcements: await count('select state key, count(*)::int n from parcel_follows where account = $1 group by 1 order by 1'),
    waitsFor: (await pool.query<{ error: string }>(
      `select distinct error from (select error from parcel_follows where account = $1 and state = 'due' and error is not null union all
         select error from waybills where account = $1 and (state = 'void' or label_state = 'due') and error is not null) e order by 1 limit 10`, [code])).rows.map((r) => r.error),
    balances: (await pool.query<{ carrier: string; branch: string; left: number | null; at: Date }>('select carrier, branch, remaining "left", at from waybill_balances where account = $1 order by 1, 2', [code])).rows.map((b) => ({ ...b, at: b.at.toISOString() })),
  };
}
