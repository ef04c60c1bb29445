import type pg from 'pg';
import type { Vault } from '../vault.ts';

/** Times in ms since epoch. */
export type TokenRow = { access: string; refresh: string | null; expiresAt: number; refreshExpiresAt: number | null; serial: number };
type Row = { access: Buffer; refresh: Buffer | null; expires_at: Date; refresh_expires_at: Date | null; serial: number };

const read = (vault: Vault, row: Row | undefined): TokenRow | null => (row === undefined ? null : {
  access: vault.openSecret(row.access), refresh: row.refresh && vault.openSecret(row.refresh), expiresAt: row.expires_at.getTime(), refreshExpiresAt: row.refresh_expires_at?.getTime() ?? null, serial: row.serial,
});

export async function readCarrierToken(pool: pg.Pool | pg.ClientBase, vault: Vault, account: string): Promise<TokenRow | null> {
  const { rows } = await pool.query<Row>({ name: 'carrier_token_read', text: 'select access, refresh, expires_at, refresh_expires_at, serial from carrier_tokens where account = $1', values: [account] });
  return read(vault, rows[0]);
}

/**
 * Makes the next token of an account, one at a time in the whole cluster: who waited for another's refresh gets that one's result. `beyond`: the serial of the token that is no good
 * any more (null: there was none). What `next` throws is thrown, and the old token stays.
 */
export async function refreshCarrierToken(
  pool: pg.Pool, vault: Vault, account: string, beyond: number | null, next: (last: TokenRow | null) => Promise<Omit<TokenRow, 'serial'>>, now: Date,
): Promise<TokenRow> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('tributary:carrier-token'), hashtext($1))`, [account]);
    const last = await readCarrierToken(client, vault, account);
    let token = last;
    if (token === null || token.serial === beyond) {
      const made = await next(last);
      token = { ...made, serial: (last?.serial ?? 0) + 1 };
      await client.query(
        `insert into carrier_tokens (account, access, refresh, expires_at, refresh_expires_at, refreshed_at, serial) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (account) do update set access = excluded.access, refresh = excluded.refresh, expires_at = excluded.expires_at, refresh_expires_at = excluded.refresh_expires_at,
           refreshed_at = excluded.refreshed_at, serial = excluded.serial`,
        [account, vault.sealSecret(token.access), token.refresh === null ? null : vault.sealSecret(token.refresh), new Date(token.expiresAt),
          token.refreshExpiresAt === null ? null : new Date(token.refreshExpiresAt), now, token.serial]);
    }
    await client.query('commit');
    broken = false;
    return token;
  } catch (error) {
    await client.query('rollback').then(() => { broken = false; }, () => undefined);
    throw error;
  } finally {
    client.release(broken);
  }
}
