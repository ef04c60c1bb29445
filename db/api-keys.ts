import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from './transaction.ts';

export const SCOPES = [
  'orders:read', 'orders:write', 'orders:operate', 'personal:read', 'stock:read', 'stock:write', 'fulfillment:write', 'tracking:write',
  'returns:write', 'network:read', 'network:write', 'keys:write',
] as const;
export type Scope = (typeof SCOPES)[number];

export function hashApiKey(key: string): string {
  // The key has 192 random bits, so a plain hash is enough: there is nothing to guess.
  return createHash('sha256').update(key).digest('hex');
}

/** Makes a key, bound to a location or carrier where given. The key itself is returned once and never stored. */
export async function createApiKey(
  db: pg.Pool | pg.ClientBase,
  input: { name: string; scopes: readonly Scope[]; locationCode?: string; carrierCode?: string },
): Promise<{ id: number; key: string }> {
  const key = `tk_${randomBytes(24).toString('base64url')}`;
  const { rows } = await db.query<{ id: number }>(
    `insert into api_keys (name, key_hash, scopes, location_id, carrier)
     select $1, decode($2, 'hex'), $3, (select id from locations where code = $4), $5::text
     where $4::text is null or exists (select from locations where code = $4) returning id`,
    [input.name, hashApiKey(key), input.scopes, input.locationCode ?? null, input.carrierCode ?? null]);
  const row = rows[0];
  if (!row) throw new Error(`unknown location ${input.locationCode ?? ''}`);
  return { id: row.id, key };
}

export type ApiKeyView = { id: number; name: string; scopes: string[]; location: string | null; carrier: string | null; createdAt: Date; revokedAt: Date | null; locationId: number | null };

export async function listApiKeys(pool: pg.Pool): Promise<ApiKeyView[]> {
  return (await pool.query<ApiKeyView>(
    `select k.id, k.name, k.scopes, l.code location, k.carrier, k.created_at "createdAt", k.revoked_at "revokedAt", k.location_id "locationId" from api_keys k left join locations l on l.id = k.location_id order by k.id`)).rows;
}

/**
 * Revokes a key; with `onlyLocation` only one that is bound to it. False when there is none. Twice is once. Its webhooks pause in the same transaction: whoever held the key is told nothing more;
 * what they have not had yet waits for whoever takes them over.
 */
export async function revokeApiKey(pool: pg.Pool, id: number, onlyLocation: number | null): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query('update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 and ($2::int is null or location_id = $2)', [id, onlyLocation]);
    if (rowCount === 0) return false;
    await client.query(`update webhook_endpoints set status = 'paused', paused_reason = 'its API key was revoked', updated_at = now() where api_key_id = $1 and status = 'active'`, [id]);
    return true;
  });
}
