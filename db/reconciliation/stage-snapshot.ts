import pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { BadLine, CountedRow } from '../../domain/stock/counted-row.ts';
import { typeParsers } from '../types.ts';
import type { StockWriter } from '../stock-writer.ts';
import { copyLines } from './copy-lines.ts';
import { wakeReconciliation } from './wake.ts';

export type SnapshotHead = {
  locationId: number; location: string; id: string; kind: 'full' | 'delta'; source: 'wms' | 'pos' | 'dealer' | 'third_party'; origin: 'api' | 'import' | 'pull'; takenAt: Date;
};
export type SnapshotAnswer = {
  location: string; id: string; kind: 'full' | 'delta'; takenAt: string; status: 'staged'; lines: number; badLines: number;
  /** of a full one: whether SKUs that are not in it count as 0. Bad lines may have been theirs, so then they do not. */
  complete: boolean; errors: BadLine[];
};
/** `hash` is asked for when all rows were read. `strict`: one bad line refuses the whole. */
export type SnapshotRows = { rows: AsyncIterable<CountedRow | BadLine>; hash: () => Buffer; strict: boolean };

/** Bad lines that are told one by one; the count is of all. */
const TOLD = 100;
const AHEAD_MS = 300_000;
const MOST = 1_000_000_000;

/**
 * Takes a snapshot in: all of it or nothing, in one transaction of a connection of its own (COPY needs one that does not pipeline). The same id with the same
 * body gives the same answer, also sent twice at once; with another body `duplicate_with_other_body`. One from the future, older than the last full one that
 * was processed, or without a usable line is refused and nothing changes. The location's workflow is told in the same transaction.
 */
export async function stageSnapshot(writer: StockWriter, head: SnapshotHead, { rows, hash, strict }: SnapshotRows): Promise<SnapshotAnswer> {
  const now = writer.clock();
  if (head.takenAt.getTime() > now.getTime() + AHEAD_MS) throw new Problem('unprocessable', `the snapshot was taken at ${head.takenAt.toISOString()}, which is yet to come`, '/takenAt');
  const client = new pg.Client({ connectionString: writer.pool.options.connectionString, types: typeParsers, application_name: 'tributary snapshots' });
  client.on('error', (error) => { process.emitWarning(`database connection lost: ${error.message}`); }); // the query under way fails as well
  await client.connect();
  try {
    await client.query('begin');
    const answer = await stage(client, head, now, rows, hash, strict);
    await client.query('commit');
    return answer;
  } finally {
    await client.end(); // what was not committed is rolled back by the server
  }
}

async function stage(client: pg.Client, head: SnapshotHead, now: Date, rows: SnapshotRows['rows'], hash: () => Buffer, strict: boolean): Promise<SnapshotAnswer> {
  // Whoever sends the same id meanwhile waits here until this one is through.
  const { rows: [fresh] } = await client.query<{ id: number }>(
    `insert into snapshots (location_id, external_id, kind, source, origin, taken_at, received_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (location_id, external_id) do nothing returning id`, [head.locationId, head.id, head.kind, head.source, head.origin, head.takenAt, now]);
  if (!fresh) return knownAnswer(client, head, rows, hash);
  const late = await lateAgainst(client, head.locationId, head.takenAt);
  if (late !== null) throw new Problem('conflict', `the snapshot was taken at ${head.takenAt.toISOString()}; the full one of ${late.toISOString()} has been processed`, '/takenAt');

  const errors: BadLine[] = [];
  let badLines = 0;
  const bad = (line: BadLine): void => {
    if (strict) throw new Problem('unprocessable', line.reason, `/lines/${line.line - 1}`);
    badLines += 1;
    if (errors.length < TOLD) errors.push(line);
  };
  await copyLines(client, rows, bad);
  for (const line of await takeOutBad(client)) bad(line);
  const { rowCount } = await client.query(
    `insert into snapshot_lines (snapshot_id, line_no, sku_code, sku_id, condition, lot_code, unit, counted)
     select $1, min(s.line_no), s.sku, k.id, s.condition, s.lot, min(s.unit), sum(s.quantity * coalesce(u.factor, 1)) from staged s
     left join skus k on k.code = s.sku left join sku_units u on u.sku_id = k.id and u.unit = s.unit group by s.sku, k.id, s.condition, s.lot order by 2`, [fresh.id]);
  const lines = rowCount ?? 0;
  if (lines === 0) throw new Problem('unprocessable', errors[0] ? `no line can be used; line ${errors[0].line}: ${errors[0].reason}` : 'there is no line in the snapshot', '/lines');
  errors.sort((a, b) => a.line - b.line);
  const answer: SnapshotAnswer = {
    location: head.location, id: head.id, kind: head.kind, takenAt: head.takenAt.toISOString(), status: 'staged', lines, badLines, complete: head.kind === 'full' && badLines === 0, errors,
  };
  await client.query('update snapshots set lines = $2, bad_lines = $3, body_hash = $4, answer = $5 where id = $1', [fresh.id, lines, badLines, hash(), JSON.stringify(answer)]);
  await wakeReconciliation(client, [head.location], now);
  return answer;
}

async function knownAnswer(client: pg.Client, head: SnapshotHead, rows: SnapshotRows['rows'], hash: () => Buffer): Promise<SnapshotAnswer> {
  const { rows: [known] } = await client.query<{ kind: string; taken_at: Date; body_hash: Buffer | null; answer: SnapshotAnswer }>(
    'select kind, taken_at, body_hash, answer from snapshots where location_id = $1 and external_id = $2', [head.locationId, head.id]);
  // Only the hash of all of it tells whether it is the same.
  for await (const row of rows) void row;
  if (known?.kind !== head.kind || known.taken_at.getTime() !== head.takenAt.getTime() || !known.body_hash?.equals(hash())) {
    throw new Problem('duplicate_with_other_body', `snapshot "${head.id}" of this location was sent before with another body`, '/id');
  }
  return known.answer;
}

/** When the newest full snapshot that was processed, or is just now, was taken, if that is later than `takenAt`. */
export async function lateAgainst(client: pg.ClientBase, locationId: number, takenAt: Date): Promise<Date | null> {
  const { rows } = await client.query<{ taken_at: Date }>(
    `select taken_at from snapshots where location_id = $1 and kind = 'full' and status in ('comparing', 'done') and taken_at > $2 order by taken_at desc limit 1`, [locationId, takenAt]);
  return rows[0]?.taken_at ?? null;
}

/** Lines that only the catalogue shows to be wrong leave the staging table. */
async function takeOutBad(client: pg.Client): Promise<BadLine[]> {
  const { rows } = await client.query<BadLine>(
    `with wrong as (
       select s.line_no, case
         when s.unit is not null and k.id is not null and s.unit <> k.unit and u.factor is null then format('unit "%s" of SKU "%s" is not known', s.unit, s.sku)
         when s.lot is not null and not k.lot_tracked then format('SKU "%s" is not tracked by lot: leave it out', s.sku)
         when s.lot is null and m.sku is not null then format('SKU "%s" has lines with a lot: say which lot this is', s.sku)
         when s.quantity * coalesce(u.factor, 1) > $1 then format('%s units are more than anybody can count', s.quantity * coalesce(u.factor, 1)) end reason
       from staged s left join skus k on k.code = s.sku left join sku_units u on u.sku_id = k.id and u.unit = s.unit
       left join (select distinct sku, condition from staged where lot is not null) m on m.sku = s.sku and m.condition = s.condition),
     gone as (delete from staged s using wrong w where w.line_no = s.line_no and w.reason is not null)
     select line_no line, reason from wrong where reason is not null order by line_no`, [MOST]);
  return rows;
}
