import { expect } from 'vitest';
import type { TestApi } from '../../support/api.ts';

export type Reply = { status: number; body: Record<string, unknown> };

/** A request with any method; no body is `{}`. */
export async function send(api: TestApi, key: string, method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, payload?: object): Promise<Reply> {
  const response = await api.app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(payload === undefined ? {} : { payload }) });
  return { status: response.statusCode, body: response.body === '' ? {} : response.json<Record<string, unknown>>() };
}

/** The content of every table, partitions through their parent. */
export async function everything(api: TestApi): Promise<string> {
  const { pool } = api.world.store;
  const { rows } = await pool.query<{ t: string }>(`select c.relname t from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`);
  const parts = rows.map(({ t }) => `(select '${t}' || count(*) || md5(coalesce(string_agg(x::text, '|' order by x::text), '')) from "${t}" x)`);
  return (await api.world.one<{ print: string }>(`select array_to_string(array[${parts.join(', ')}], ' ') print`)).print;
}

/** Expects a refusal by `[status, code, field]`, with nothing changed in any table. */
export async function refused(api: TestApi, request: () => Promise<Reply>, ...expected: [number, string, (string | null)?]): Promise<Reply> {
  const before = await everything(api);
  const reply = await request();
  expect([reply.status, reply.body['code'], reply.body['field'] ?? null].slice(0, expected.length)).toEqual(expected);
  expect(await everything(api)).toBe(before);
  return reply;
}
