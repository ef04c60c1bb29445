import type { Readable } from 'node:stream';
import { readLines } from './import-text.ts';

/** A record of an import: its line (of the first row, in CSV), over how many lines it goes, and what it says or why it cannot be read. */
export type ImportRecord = { line: number; lines: number; order: unknown } | { line: number; lines: number; error: string };

/** One order a line of JSON. Empty lines are passed over; they count in the numbers of the lines. */
export async function* readNdjson(stream: Readable): AsyncGenerator<ImportRecord> {
  for await (const read of readLines(stream)) {
    const { line } = read;
    if ('error' in read) {
      yield { line, lines: 1, error: read.error };
      continue;
    }
    if (read.text.trim() === '') continue;
    try {
      yield { line, lines: 1, order: JSON.parse(read.text) as unknown };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      yield { line, lines: 1, error: `the line is no valid JSON: ${error.message}` };
    }
  }
}
