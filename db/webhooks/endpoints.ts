import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Vault } from '../vault.ts';
import { liveSecrets, newSecret, openSecrets, sealSecrets } from './secrets.ts';

export type EndpointStatus = 'active' | 'paused' | 'gone';
/** `gone`: it answered 410. `secrets`: how many sign just now. */
export type EndpointView = { id: string; url: string; description: string; events: string[]; status: EndpointStatus; secrets: number; slowUntil: string | null; waiting: number; failed: number; createdAt: string };
type Row = { id: string; url: string; description: string; events: string[]; status: EndpointStatus; secrets: Buffer; slowUntil: Date | null; waiting: number; failed: number; createdAt: Date };

const MOST_SECRETS = 5;

export function endpointUuid(id: string): string {
  const uuid = decodeId('whe', id);
  if (uuid === null) throw new Problem('not_found', `webhook "${id}" does not exist`);
  return uuid;
}

export async function listEndpoints(pool: pg.Pool, vault: Vault, now: Date, id: string | null = null): Promise<EndpointView[]> {
  const { rows } = await pool.query<Row>(
    `select e.id, e.url, e.description, e.events, e.status, e.secrets, e.slow_until "slowUntil", e.created_at "createdAt",
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

/** Makes an endpoint; it is told what happens from this commit on. The secret is returned once. */
export async function createEndpoint(writer: StockWriter, vault: Vault, what: { url: string; description: string; events: readonly string[] }, apiKeyId: number): Promise<{ id: string; secret: string }> {
  return writer.change(async (tx) => {
    await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:webhooks'))`);
    const secret = newSecret();
    const id = uuidv7();
    // Nobody has read for a while if there was none: what happened meanwhile is nobody's.
    await tx.query(`delete from readers where name = 'webhooks' and not exists (select from webhook_endpoints where status <> 'gone')`);
    await tx.query('insert into webhook_endpoints (id, url, description, events, secrets, api_key_id, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)',
      [id, what.url, what.description, what.events, sealSecrets(vault, [{ secret, from: tx.now.toISOString(), until: null }]), apiKeyId, tx.now]);
    await tx.query(`insert into readers (name, upto, at) select 'webhooks', pg_snapshot_xmin(pg_current_snapshot()), $1 on conflict (name) do nothing`, [tx.now]);
    return { id: encodeId('whe', id), secret };
  });
}

/** Changes an endpoint. Made active again, it is left alone no longer; what waits goes on, what was cancelled can be replayed. */
export async function changeEndpoint(writer: StockWriter, id: string, what: { url: string; description: string; events: readonly string[]; status: 'active' | 'paused' }): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one(
      `update webhook_endpoints set url = $2, description = $3, events = $4, status = $5, slow_until = null, slowed = 0, updated_at = $6 where id = $1 returning 1`,
      [endpointUuid(id), what.url, what.description, what.events, what.status, tx.now]);
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
