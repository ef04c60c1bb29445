import { Readable } from 'node:stream';
import type { DealerProfile } from '../../domain/dealer/profile.ts';
import { readTable, type TableRow } from '../../domain/dealer/table.ts';
import { readEdifactFile } from '../../domain/edi/edifact/file.ts';
import { encodingOf } from '../../domain/edi/edifact/segments.ts';
import { EdiFault } from '../../domain/edi/fault.ts';
import { readX12File } from '../../domain/edi/x12/file.ts';
import type { FileContent, FileFormat } from '../../db/dealers/take-file.ts';
import { Problem } from '../../domain/problem.ts';
import { readRows } from '../orders/import-rows.ts';
import { MAX_ROWS, xlsxRows } from './xlsx.ts';

export const MEDIA_TYPES = ['text/csv', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'application/edi-x12', 'application/edifact', 'application/octet-stream'] as const;
const FORMATS: Readonly<Record<string, FileFormat>> = { 'text/csv': 'csv', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx', 'application/edi-x12': 'x12', 'application/edifact': 'edifact' };

/** By the media type; `application/octet-stream` by its first bytes. */
export function formatOf(mediaType: string, body: Buffer): FileFormat {
  const head = body.toString('latin1', 0, 64).replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
  return FORMATS[mediaType] ?? (head.startsWith('PK\u0003\u0004') ? 'xlsx' : head.startsWith('ISA') ? 'x12' : head.startsWith('UNA') || head.startsWith('UNB') ? 'edifact' : 'csv');
}

/** Reads a file as its format and the dealer's profile say. Throws Problem where nothing of it can be read. `name`: without its ending it is the order's number where a file is one order. */
export async function readDealerFile(format: FileFormat, body: Buffer, name: string, profile: DealerProfile): Promise<FileContent> {
  if (format === 'csv' || format === 'xlsx') {
    const rows = format === 'xlsx' ? await xlsxRows(body) : await csvRows(body, profile);
    const read = readTable(rows, profile, name.replace(/\.[^.]*$/, ''));
    return { ...read, interchanges: [] };
  }
  const text = decode(format, body);
  if (text.includes('\u0000')) throw new Problem('malformed', 'the file holds NUL characters: it is no text', '/body');
  try {
    const interchanges = format === 'x12' ? readX12File(text, profile) : readEdifactFile(text, profile);
    if (interchanges.length === 0) throw new Problem('malformed', 'the file is empty', '/body');
    return { rows: interchanges.length, orders: [], faults: [], interchanges };
  } catch (error) {
    if (error instanceof EdiFault) throw new Problem('malformed', `segment ${error.at}: ${error.message}`, '/body');
    throw error;
  }
}

/** EDIFACT says in UNB in which characters it is; X12 does not: UTF-8, and what is none is ISO 8859-1. */
function decode(format: 'x12' | 'edifact', body: Buffer): string {
  const syntax = format === 'edifact' ? /UNB.(UNO[A-Z])/.exec(body.toString('latin1', 0, 200))?.[1] ?? '' : '';
  if (format === 'edifact' && encodingOf(syntax) === 'latin1') return body.toString('latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    if (format === 'edifact') throw new Problem('malformed', `the file is no valid UTF-8, which ${syntax} says`, '/body');
    return body.toString('latin1');
  }
}

async function csvRows(body: Buffer, profile: DealerProfile): Promise<TableRow[]> {
  const { encoding, delimiter } = profile.table;
  // GB 18030 holds all of GBK. What is none becomes U+FFFD, and the row that has it is a bad one.
  const bytes = encoding === 'gbk' ? Buffer.from(new TextDecoder('gb18030').decode(body)) : body;
  const rows: TableRow[] = [];
  for await (const row of readRows(Readable.from([bytes]), delimiter)) {
    if (rows.length > MAX_ROWS) throw new Problem('body_too_large', `the file has more than ${MAX_ROWS} rows: send it in parts`, '/body');
    if ('error' in row) rows.push({ line: row.line, error: row.error });
    else if (row.cells.some((c) => c.includes('\u0000') || (encoding === 'gbk' && c.includes('\ufffd')))) rows.push({ line: row.line, error: encoding === 'gbk' ? 'the row is no valid GBK: save the file as GBK, or set the encoding of the profile to utf-8' : 'the row holds NUL characters' });
    else rows.push(row);
  }
  return rows;
}
