import type { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse/sync';
import { readLines, type TextLine } from './import-text.ts';

/** A row of CSV with the number of its first line, or why it cannot be read; `text` is what stands there. */
export type CsvRow = { line: number; cells: string[] } | { line: number; text: string; error: string };

/** How far a row may go on in quoted fields: lines and characters. */
const AHEAD = 200;
const MAX_LENGTH = 1_048_576;
const isOpen = (text: string): boolean => text.split('"').length % 2 === 0;

function parseRow(text: string, delimiter: string): string[] | string {
  if (!text.includes('"')) return text.split(delimiter).map((cell) => cell.trim());
  try {
    const rows: string[][] = parse(text, { trim: true, delimiter, relax_column_count: true, record_delimiter: '\n' });
    return rows.length === 1 ? rows[0] as string[] : 'the row is no valid CSV: a quote is out of place';
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return `the row is no valid CSV: a quote is ${error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'not closed' : 'out of place'}`;
  }
}

/**
 * Rows of CSV (RFC 4180), the header first; every row has as many fields as it. A quoted field may hold line ends, so a quote that is never closed would
 * swallow what follows: where the lines it opens make no row together, only the first is bad and reading goes on with the second.
 */
export async function* readRows(stream: Readable, delimiter = ','): AsyncGenerator<CsvRow> {
  const source = readLines(stream);
  const ahead: TextLine[] = [];
  const next = async (): Promise<TextLine | undefined> => ahead.shift() ?? (await source.next()).value;
  let width: number | null = null;
  for (let first = await next(); first; first = await next()) {
    const { line } = first;
    if ('error' in first) {
      yield { line, text: '', error: first.error };
      continue;
    }
    if (first.text.trim() === '') continue;
    const more: TextLine[] = [];
    let text = first.text;
    for (let open = isOpen(text); open && more.length < AHEAD && text.length < MAX_LENGTH;) {
      const following = await next();
      if (following) more.push(following);
      if (!following || 'error' in following) break;
      text += `\n${following.text}`;
      open = open !== isOpen(following.text);
    }
    const cells = parseRow(text, delimiter);
    const error = typeof cells === 'string' ? cells : width !== null && cells.length !== width ? `the row has ${cells.length} fields, the header ${width}` : null;
    if (typeof cells !== 'string' && error === null) {
      width ??= cells.length;
      yield { line, cells };
    } else {
      ahead.unshift(...more);
      yield { line, text: first.text, error: error ?? '' };
    }
  }
}
