import type { Readable } from 'node:stream';
import { MEMBER_COLUMNS, toMember, type BadMember, type Member } from '../../domain/segment/member.ts';
import { csvFields, ndjsonFields } from '../orders/import-fields.ts';

/** Does not repeat what stands there: a file without a header has people in its first row. */
function headerFault(names: readonly string[]): string | null {
  if (names.some((name) => !(MEMBER_COLUMNS as readonly string[]).includes(name))) return `a column is not known; the columns are ${MEMBER_COLUMNS.join(', ')}`;
  return names.some((name, i) => names.indexOf(name) !== i) ? 'a column is there twice' : null;
}

/** Rows of a CSV upload, the header first. */
export async function* csvMembers(stream: Readable): AsyncGenerator<Member | BadMember> {
  for await (const read of csvFields(stream, headerFault)) yield 'reason' in read ? read : toMember(read.line, read.fields);
}

/** One JSON object a line. */
export async function* ndjsonMembers(stream: Readable): AsyncGenerator<Member | BadMember> {
  for await (const read of ndjsonFields(stream)) yield 'reason' in read ? read : toMember(read.line, read.fields);
}
