import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { Ladder } from '../../domain/promising/ladder.ts';
import type { StockWriter } from '../stock-writer.ts';

/** `version` 0: there never was one. */
export type LadderView = { channel: string; version: number; ladder: Ladder | null; author: string | null; createdAt: string | null };

export async function readLadder(pool: pg.Pool, channel: { id: number; code: string }): Promise<LadderView> {
  const { rows: [row] } = await pool.query<{ version: number; body: Ladder | null; author: string; created_at: Date }>(
    'select version, body, author, created_at from promise_ladders where channel_id = $1 order by version desc limit 1', [channel.id]);
  return { channel: channel.code, version: row?.version ?? 0, ladder: row?.body ?? null, author: row?.author ?? null, createdAt: row?.created_at.toISOString() ?? null };
}

/** A new version of a channel's ladder, or (null) none from here on; the same again is the same version. Throws Problem `unprocessable` where nothing could ever be answered. */
export async function putLadder(writer: StockWriter, channel: { id: number; code: string }, ladder: Ladder | null, author: string): Promise<void> {
  if (ladder?.ask && !ladder.ask.options.includes(ladder.ask.otherwise)) throw new Problem('unprocessable', `nobody answers: "${ladder.ask.otherwise}" counts then, so it must be one of the options`, '/ladder/ask/otherwise');
  if (ladder?.ask && new Set(ladder.ask.options).size < ladder.ask.options.length) throw new Problem('unprocessable', 'an option is named twice', '/ladder/ask/options');
  await writer.change(async (tx) => {
    await tx.query('select 1 from channels where id = $1 for no key update', [channel.id]);
    const last = await tx.one<{ version: number; same: boolean }>('select version, body is not distinct from $2::jsonb same from promise_ladders where channel_id = $1 order by version desc limit 1', [channel.id, ladder && JSON.stringify(ladder)]);
    if (last?.same || (!last && ladder === null)) return;
    await tx.query('insert into promise_ladders (channel_id, version, body, author, created_at) values ($1, $2, $3, $4, $5)', [channel.id, (last?.version ?? 0) + 1, ladder && JSON.stringify(ladder), author, tx.now]);
  });
}
