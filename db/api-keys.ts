import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';

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
