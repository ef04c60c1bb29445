import type pg from 'pg';
import type { Way } from '../../domain/messages/message.ts';
import type { Vault } from '../vault.ts';

/** An account with a provider, its secrets in clear, in memory only. The first active one of a way carries it, by `priority`, then code. */
export type MessengerRow = { code: string; kind: string; ways: Way[]; settings: Record<string, unknown>; secrets: Record<string, string>; active: boolean; priority: number; perSecond: number; updatedAt: Date };
type Row = Omit<MessengerRow, 'secrets'> & { secrets: Buffer | null };

export async function listMessengers(pool: pg.Pool, vault: Vault, code: string | null = null): Promise<MessengerRow[]> {
  const { rows } = await pool.query<Row>({
    name: 'messengers_list',
    text: `select code, kind, ways, settings, secrets, active, priority, per_second "perSecond", updated_at "updatedAt" from messengers where $1::text is null or code = $1 order by priority, code`, values: [code],
  });
  return rows.map((row) => ({ ...row, secrets: row.secrets === null ? {} : JSON.parse(vault.openSecret(row.secrets)) as Record<string, string> }));
}

/** Makes or changes an account. Secrets that are not given stay as they were, while the kind does. */
export async function putMessenger(pool: pg.Pool, vault: Vault, messenger: Omit<MessengerRow, 'updatedAt'>): Promise<void> {
  const [old] = await listMessengers(pool, vault, messenger.code);
  const secrets = { ...(old?.kind === messenger.kind ? old.secrets : {}), ...messenger.secrets };
  await pool.query(
    `insert into messengers (code, kind, ways, settings, secrets, active, priority, per_second) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (code) do update set kind = excluded.kind, ways = excluded.ways, settings = excluded.settings, secrets = excluded.secrets, active = excluded.active, priority = excluded.priority,
       per_second = excluded.per_second, updated_at = now()`,
    [messenger.code, messenger.kind, messenger.ways, JSON.stringify(messenger.settings), vault.sealSecret(JSON.stringify(secrets)), messenger.active, messenger.priority, messenger.perSecond]);
}
