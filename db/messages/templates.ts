import type pg from 'pg';
import type { Template, Way } from '../../domain/messages/message.ts';
import type { QuietHours } from '../../domain/messages/quiet.ts';
import type { Purpose } from '../../domain/messages/message.ts';

/** The words of a message, one for each way; `*`: for every way that has none of its own. */
export type TemplateTexts = Partial<Record<Way | '*', Template>>;
export type TemplateView = { key: string; texts: TemplateTexts };
type Row = { key: string; way: Way | '*'; subject: string | null; body: string; providerTemplate: string | null };

export async function listTemplates(pool: pg.Pool, key: string | null = null): Promise<TemplateView[]> {
  const { rows } = await pool.query<Row>(`select key, way, subject, body, provider_template "providerTemplate" from message_templates where $1::text is null or key = $1 order by key, way`, [key]);
  const byKey = new Map<string, TemplateTexts>();
  for (const { key: k, way, ...template } of rows) byKey.set(k, { ...byKey.get(k), [way]: template });
  return [...byKey].map(([k, texts]) => ({ key: k, texts }));
}

/** Replaces the words of a message. Those that wait are sent with the new ones. */
export async function putTemplate(pool: pg.Pool, key: string, texts: TemplateTexts): Promise<void> {
  const given = Object.entries(texts);
  // One statement sees the rows as they were, so it may not delete what it inserts: what stays is updated, the rest goes.
  await pool.query(
    `with gone as (delete from message_templates where key = $1 and way <> all($2::text[]))
     insert into message_templates (key, way, subject, body, provider_template) select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[])
     on conflict (key, way) do update set subject = excluded.subject, body = excluded.body, provider_template = excluded.provider_template, updated_at = now()`,
    [key, given.map(([way]) => way), given.map(([, t]) => t.subject), given.map(([, t]) => t.body), given.map(([, t]) => t.providerTemplate)]);
}

export type MessageRule = { purpose: Purpose; quiet: QuietHours };

export async function listMessageRules(pool: pg.Pool): Promise<MessageRule[]> {
  const { rows } = await pool.query<{ purpose: Purpose; from: number; to: number; timeZone: string }>(
    `select purpose, quiet_from "from", quiet_to "to", time_zone "timeZone" from message_rules order by purpose`);
  return rows.map(({ purpose, ...quiet }) => ({ purpose, quiet }));
}

export async function putMessageRule(pool: pg.Pool, { purpose, quiet }: MessageRule): Promise<void> {
  await pool.query('update message_rules set quiet_from = $2, quiet_to = $3, time_zone = $4 where purpose = $1', [purpose, quiet.from, quiet.to, quiet.timeZone]);
}
