import type { Readable } from 'node:stream';
import { toRow, type BadLine, type CountedRow } from '../../domain/stock/counted-row.ts';
import { csvFields, ndjsonFields } from '../orders/import-fields.ts';

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

/** Rows of a CSV upload, the header first. */
export async function* csvRows(stream: Readable): AsyncGenerator<CountedRow | BadLine> {
  for await (const read of csvFields(stream, headerFault)) {
    if ('reason' in read) yield read;
    else {
      const { quantity } = read.fields;
      yield toRow(read.line, { ...read.fields, quantity: quantity !== undefined && /^-?\d+$/.test(quantity) ? Number(quantity) : quantity });
    }
  }
}

/** One JSON object a line. */
export async function* ndjsonRows(stream: Readable): AsyncGenerator<CountedRow | BadLine> {
  for await (const read of ndjsonFields(stream)) {
    const unknown = 'reason' in read ? undefined : Object.keys(read.fields).find((name) => !(SNAPSHOT_COLUMNS as readonly string[]).includes(name));
    if ('reason' in read) yield read;
    else yield unknown === undefined ? toRow(read.line, read.fields) : { line: read.line, reason: `${unknown} is not known here; leave it out` };
  }
}
