import type { Readable } from 'node:stream';
import { toRow, type BadLine, type CountedRow } from '../../domain/stock/counted-row.ts';
import { readRows } from '../orders/import-rows.ts';
import { readLines } from '../orders/import-text.ts';

/** The columns of a CSV snapshot; `sku` and `quantity` must be there. */
export const SNAPSHOT_COLUMNS = ['sku', 'condition', 'quantity', 'unit', 'lot'] as const;
function headerFault(names: readonly string[]): string | null {
  const unknown = names.find((name) => !(SNAPSHOT_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) return `column "${unknown}" is not known; the columns are ${SNAPSHOT_COLUMNS.join(', ')}`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return `column "${twice}" is there twice`;
  const missing = ['sku', 'quantity'].find((name) => !names.includes(name));
  return missing === undefined ? null : `column "${missing}" is missing`;
}

/** Rows of a CSV upload, the header first. A wrong header makes every row a bad one. */
export async function* csvRows(stream: Readable): AsyncGenerator<CountedRow | BadLine> {
  let names: readonly string[] | null = null;
  let fault: string | null = null;
  for await (const read of readRows(stream)) {
    if (names === null) {
      names = 'error' in read ? [] : read.cells;
      fault = 'error' in read ? read.error : headerFault(names);
    } else if ('error' in read) yield { line: read.line, reason: read.error };
    else if (fault !== null) yield { line: read.line, reason: fault };
    else {
      const fields: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) if (read.cells[i] !== '') fields[names[i] as string] = read.cells[i];
      const quantity = fields['quantity'] as string | undefined;
      yield toRow(read.line, { ...fields, quantity: quantity !== undefined && /^-?\d+$/.test(quantity) ? Number(quantity) : quantity });
    }
  }
}

/** One JSON object a line. */
export async function* ndjsonRows(stream: Readable): AsyncGenerator<CountedRow | BadLine> {
  for await (const read of readLines(stream)) {
    const { line } = read;
    if ('error' in read) {
      yield { line, reason: read.error };
      continue;
    }
    if (read.text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(read.text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      yield { line, reason: 'the line is no valid JSON' };
      continue;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      yield { line, reason: 'the line is no JSON object' };
      continue;
    }
    const unknown = Object.keys(value).find((name) => !(SNAPSHOT_COLUMNS as readonly string[]).includes(name));
    yield unknown === undefined ? toRow(line, value) : { line, reason: `${unknown} is not known here; leave it out` };
  }
}
