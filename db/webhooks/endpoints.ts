import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault } from '../vault.ts';
import { liveSecrets, newSecret, openSecrets, sealSecrets } from './secrets.ts';

export type EndpointStatus = 'active' | 'paused' | 'gone';
/** `gone`: it answered 410. `pausedReason`: why, where nobody has paused it by hand. `key`: whose it is. `secrets`: how many sign just now. */
export type EndpointView = { id: string; url: string; description: string; events: string[]; status: EndpointStatus; pausedReason: string | null; key: string | null; secrets: number; slowUntil: string | null; waiting: number; failed: number; createdAt: string };
type Row = Omit<EndpointView, 'secrets' | 'slowUntil' | 'createdAt'> & { secrets: Buffer; slowUntil: Date | null; createdAt: Date };

const MOST_SECRETS = 5;

export function endpointUuid(id: string): string {
  const uuid = decodeId('whe', id);
  if (uuid === null) throw new Problem('not_found', `webhook "${id}" does not exist`);
  return uuid;
}

export async function listEndpoints(pool: pg.Pool, vault: Vault, now: Date, id: string | null = null): Promise<EndpointView[]> {
  const { rows } = await pool.query<Row>(
    `select e.id, e.url, e.description, e.events, e.status, e.paused_reason "pausedReason", (select name from api_keys k where k.id = e.api_key_id) key, e.secrets, e.slow_until "slowUntil", e.created_at "createdAt",
       (select count(*)::int from webhook_deliveries d where d.endpoint_id = e.id and d.status = 'waiting') waiting, (select count(*)::int from webhook_deliveries d where d.endpoint_id = e.id and d.status = 'failed') failed
     from webhook_endpoints e where $1::uuid is null or e.id = $1 order by e.id`, [id]);
  return rows.map(({ slowUntil, createdAt, secrets, ...row }) => ({
    ...row, id: encodeId('whe', row.id), secrets: liveSecrets(openSecrets(vault, secrets), now).length, slowUntil: slowUntil !== null && slowUntil > now ? slowUntil.toISOString() : null, createdAt: createdAt.toISOString(),
  }));
}

export async function readEndpoint(pool: pg.Pool, vault: Vault, now: Date, id: string): Promise<EndpointView> {
  const [endpoint] = await listEndpoints(pool, vault, now, endpointUuid(id));
  if (!endpoint) throw new Problem('not_found', `webhook "${id}" does not exist`);
  return endpoint;
}

/**
 * Until the commit nobody else reads events for webhooks or makes one of them live. Where none was, nobody has read for a while: what happened meanwhile is nobody's, and the reader begins here.
 */
async function startReader(tx: Tx): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:webhooks'))`);
  await tx.query(`delete from readers where name = 'webhooks' and not exists (select from webhook_endpoints where status <> 'gone')`);
  await tx.query(`insert into readers (name, upto, at) select 'webhooks', pg_snapshot_xmin(pg_current_snapshot()), $1 on conflict (name) do nothing`, [tx.now]);
}

/** A key that is being revoked is waited for: it makes nothing that its revocation does not stop. Throws `forbidden`. */
async function holdKey(tx: Tx, apiKeyId: number): Promise<void> {
  if (!await tx.one('select 1 from api_keys where id = $1 and revoked_at is null for share', [apiKeyId])) throw new Problem('forbidden', 'this key has been revoked');
}

/** Makes an endpoint; it is told what happens from this commit on, as long as its key lives. The secret is returned once. */
export async function createEndpoint(writer: StockWriter, vault: Vault, what: { url: string; description: string; events: readonly string[] }, apiKeyId: number): Promise<{ id: string; secret: string }> {
  return writer.change(async (tx) => {
    await startReader(tx);
    await holdKey(tx, apiKeyId);
    const secret = newSecret();
    const id = uuidv7();
    await tx.query('insert into webhook_endpoints (id, url, description, events, secrets, api_key_id, created_at, updated_at, active_since) values ($1, $2, $3, $4, $5, $6, $7, $7, $7)',
      [id, what.url, what.description, what.events, sealSecrets(vault, [{ secret, from: tx.now.toISOString(), until: null }]), apiKeyId, tx.now]);
    return { id: encodeId('whe', id), secret };
  });
}

/**
 * Changes an endpoint, which is this key's from now on. Made active again, it is left alone no longer; what waits goes on, what was cancelled can be replayed; one that was gone is told what happens
 * from this commit on.
 */
export async function changeEndpoint(writer: StockWriter, id: string, what: { url: string; description: string; events: readonly string[]; status: 'active' | 'paused' }, apiKeyId: number): Promise<void> {
  await writer.change(async (tx) => {
    await startReader(tx);
    await holdKey(tx, apiKeyId);
    const row = await tx.one(
      `update webhook_endpoints set url = $2, description = $3, events = $4, status = $5, paused_reason = null, api_key_id = $7, slow_until = null, slowed = 0, updated_at = $6, active_since = case when status = 'active' then active_since else $6 end where id = $1 returning 1`,
      [endpointUuid(id), what.url, what.description, what.events, what.status, tx.now, apiKeyId]);
    if (!row) throw new Problem('not_found', `webhook "${id}" does not exist`);
  });
}

export async function deleteEndpoint(pool: pg.Pool, id: string): Promise<void> {
  const { rowCount } = await pool.query('delete from webhook_endpoints where id = $1', [endpointUuid(id)]);
  if (rowCount !== 1) throw new Problem('not_found', `webhook "${id}" does not exist`);
}

/** A new secret; those before it go on signing beside it for `overlapS` seconds, so that nobody is cut off while they change over. Throws `conflict` when too many sign at once. */
export async function rotateSecret(writer: StockWriter, vault: Vault, id: string, overlapS: number): Promise<string> {
  return writer.change(async (tx) => {
    const row = await tx.one<{ secrets: Buffer }>('select secrets from webhook_endpoints where id = $1 for no key update', [endpointUuid(id)]);
    if (!row) throw new Problem('not_found', `webhook "${id}" does not exist`);
    const end = new Date(tx.now.getTime() + overlapS * 1000);
    const old = liveSecrets(openSecrets(vault, row.secrets), tx.now).map((s) => ({ ...s, until: s.until !== null && Date.parse(s.until) < end.getTime() ? s.until : end.toISOString() })).filter((s) => Date.parse(s.until) > tx.now.getTime());
    if (old.length >= MOST_SECRETS) throw new Problem('conflict', `${MOST_SECRETS} secrets sign already: wait until one has run out, or rotate with overlapSeconds 0`);
    const secret = newSecret();
    await tx.query('update webhook_endpoints set secrets = $2, updated_at = $3 where id = $1', [endpointUuid(id), sealSecrets(vault, [{ secret, from: tx.now.toISOString(), until: null }, ...old]), tx.now]);
    return secret;
  });
}
