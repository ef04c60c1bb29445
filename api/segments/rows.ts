import type { Readable } from 'node:stream';
import { MEMBER_COLUMNS, toMember, type BadMember, type Member } from '../../domain/segment/member.ts';
import { readRows } from '../orders/import-rows.ts';
import { readLines } from '../orders/import-text.ts';

function headerFault(names: readonly string[]): string | null {
  if (names.some((name) => !(MEMBER_COLUMNS as readonly string[]).includes(name))) return `a column is not known; the columns are ${MEMBER_COLUMNS.join(', ')}`;
  return names.some((name, i) => names.indexOf(name) !== i) ? 'a column is there twice' : null;
}

/** Rows of a CSV upload, the header first. A wrong header makes every row a bad one. */
export async function* csvMembers(stream: Readable): AsyncGenerator<Member | BadMember> {
  let names: readonly string[] | null = null;
  let fault: string | null = null;
  for await (const read of readRows(stream)) {
    if (names === null) {
      names = 'error' in read ? [] : read.cells;
      fault = 'error' in read ? read.error : headerFault(names);
    } else if ('error' in read) yield { line: read.line, reason: read.error };
    else if (fault !== null) yield { line: read.line, reason: fault };
    else yield toMember(read.line, Object.fromEntries(names.map((name, i) => [name, read.cells[i]])));
  }
}

/** One JSON object a line. */
export async function* ndjsonMembers(stream: Readable): AsyncGenerator<Member | BadMember> {
  for await (const read of readLines(stream)) {
    const { line } = read;
    if ('error' in read) yield { line, reason: read.error };
    else if (read.text.trim() !== '') yield parsed(line, read.text);
  }
}

function parsed(line: number, text: string): Member | BadMember {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? toMember(line, value as Record<string, unknown>) : { line, reason: 'the line is no JSON object' };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { line, reason: 'the line is no valid JSON' };
  }
}
