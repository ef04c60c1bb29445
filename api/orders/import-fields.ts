import type { Readable } from 'node:stream';
import { readRows } from './import-rows.ts';
import { readLines } from './import-text.ts';

/** A line of an upload by the names of its columns, or why it cannot be read. */
export type ReadFields<Value> = { line: number; fields: Readonly<Record<string, Value>> } | { line: number; reason: string };

/** Rows of a CSV upload, the header first. A header that `headerFault` finds wrong makes every row a bad one; an empty cell is left out. */
export async function* csvFields(stream: Readable, headerFault: (names: readonly string[]) => string | null): AsyncGenerator<ReadFields<string>> {
  let names: readonly string[] | null = null;
  let fault: string | null = null;
  for await (const read of readRows(stream)) {
    if (names === null) {
      names = 'error' in read ? [] : read.cells;
      fault = 'error' in read ? read.error : headerFault(names);
    } else if ('error' in read) yield { line: read.line, reason: read.error };
    else if (fault !== null) yield { line: read.line, reason: fault };
    else {
      const fields: Record<string, string> = {};
      for (let i = 0; i < names.length; i++) if (read.cells[i] !== '') fields[names[i] as string] = read.cells[i] as string;
      yield { line: read.line, fields };
    }
  }
}

/** One JSON object a line. */
export async function* ndjsonFields(stream: Readable): AsyncGenerator<ReadFields<unknown>> {
  for await (const read of readLines(stream)) {
    const { line } = read;
    if ('error' in read) yield { line, reason: read.error };
    else if (read.text.trim() !== '') yield parsed(line, read.text);
  }
}

function parsed(line: number, text: string): ReadFields<unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { line, fields: value as Record<string, unknown> } : { line, reason: 'the line is no JSON object' };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { line, reason: 'the line is no valid JSON' };
  }
}
