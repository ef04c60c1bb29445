import type pg from 'pg';
import { inTransaction } from './transaction.ts';
import type { Vault } from './vault.ts';

/** Times in ms since epoch. */
export type TokenRow = { access: string; refresh: string | null; expiresAt: number; refreshExpiresAt: number | null; serial: number };
type Row = { access: Buffer; refresh: Buffer | null; expires_at: Date; refresh_expires_at: Date | null; serial: number };

/** Access tokens that partners gave us, sealed: one of each account. */
export class Tokens<Account extends string | number> {
  readonly #table: string;
  readonly #column: string;

  /** `column`: whose token it is. */
  constructor(table: string, column: string) {
    this.#table = table;
    this.#column = column;
  }

  async read(pool: pg.Pool | pg.ClientBase, vault: Vault, account: Account): Promise<TokenRow | null> {
    const { rows: [row] } = await pool.query<Row>({
      name: `${this.#table}_read`, text: `select access, refresh, expires_at, refresh_expires_at, serial from ${this.#table} where ${this.#column} = $1`, values: [account],
    });
    return row === undefined ? null : {
      access: vault.openSecret(row.access), refresh: row.refresh && vault.openSecret(row.refresh), expiresAt: row.expires_at.getTime(), refreshExpiresAt: row.refresh_expires_at?.getTime() ?? null, serial: row.serial,
    };
  }

  /**
   * Makes the next token of an account, one at a time in the whole cluster: who waited for another's refresh gets that one's result. `beyond`: the serial of the token that is no good
   * any more (null: there was none). What `next` throws is thrown, and the old token stays.
   */
  async refresh(pool: pg.Pool, vault: Vault, account: Account, beyond: number | null, next: (last: TokenRow | null) => Promise<Omit<TokenRow, 'serial'>>, now: Date): Promise<TokenRow> {
    return inTransaction(pool, async (client) => {
      await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [`tributary:${this.#table}`, String(account)]);
      const last = await this.read(client, vault, account);
      if (last !== null && last.serial !== beyond) return last;
      const token = { ...await next(last), serial: (last?.serial ?? 0) + 1 };
      await client.query(
        `insert into ${this.#table} (${this.#column}, access, refresh, expires_at, refresh_expires_at, refreshed_at, serial) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (${this.#column}) do update set access = excluded.access, refresh = excluded.refresh, expires_at = excluded.expires_at, refresh_expires_at = excluded.refresh_expires_at,
           refreshed_at = excluded.refreshed_at, serial = excluded.serial`,
        [account, vault.sealSecret(token.access), token.refresh === null ? null : vault.sealSecret(token.refresh), new Date(token.expiresAt),
          token.refreshExpiresAt === null ? null : new Date(token.refreshExpiresAt), now, token.serial]);
      return token;
    });
  }
}

export const channelTokens = new Tokens<number>('channel_tokens', 'channel_id');
export const carrierTokens = new Tokens<string>('carrier_tokens', 'account');
