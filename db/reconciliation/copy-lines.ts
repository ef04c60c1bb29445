import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { BadLine, CountedRow } from '../../domain/stock/counted-row.ts';

const CHUNK = 65_536;

/**
 * Rows into the temporary table `staged` of this transaction, by COPY: nothing is kept in memory, and a connection that ends leaves nothing behind.
 * Bad lines go to `onBad` and the rest goes on. `client` must not pipeline queries. Returns how many rows were copied.
 */
export async function copyLines(client: pg.Client, rows: AsyncIterable<CountedRow | BadLine>, onBad: (bad: BadLine) => void): Promise<number> {
  await client.query('create temp table staged (line_no integer, sku text, condition text, quantity bigint, unit text, lot text) on commit drop');
  let copied = 0;
  async function* text(): AsyncGenerator<string> {
    let chunk = '';
    for await (const row of rows) {
      if ('reason' in row) {
        onBad(row);
        continue;
      }
      copied += 1;
      chunk += `${row.line}\t${escape(row.sku)}\t${row.condition}\t${row.quantity}\t${row.unit === null ? '\\N' : escape(row.unit)}\t${row.lot === null ? '\\N' : escape(row.lot)}\n`;
      if (chunk.length < CHUNK) continue;
      yield chunk;
      chunk = '';
    }
    if (chunk !== '') yield chunk;
  }
  await pipeline(Readable.from(text(), { objectMode: false }), client.query(copyFrom('copy staged from stdin')));
  await client.query('analyze staged');
  return copied;
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
function escape(value: string): string {
  return /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, (c) => ESCAPES[c] as string) : value;
}
