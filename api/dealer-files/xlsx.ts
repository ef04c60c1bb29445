import { inflateRawSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { readSheet } from 'read-excel-file/node';
import type { TableRow } from '../../domain/dealer/table.ts';
import { Problem } from '../../domain/problem.ts';

const MAX_ENTRIES = 200;
const MAX_ENTRY = 32 * 1_048_576;
const MAX_TOTAL = 64 * 1_048_576;
export const MAX_ROWS = 50_000;
const MAX_COLUMNS = 200;
const unreadable = (detail: string): Problem => new Problem('malformed', `the file is no Excel workbook (.xlsx) that can be read: ${detail}`, '/body');
const tooLarge = (detail: string): Problem => new Problem('body_too_large', `${detail}: send it in parts, or as CSV`, '/body');

/**
 * The rows of a workbook's first sheet. A workbook is a zip: what it unpacks to is bounded before anything reads it, whatever its directory says; so are rows and columns, for a few bytes may claim a million of
 * them. The reader then gets a zip of exactly what was looked at.
 */
export async function xlsxRows(body: Buffer): Promise<TableRow[]> {
  const parts = unpack(body);
  for (const [name, bytes] of Object.entries(parts)) if (/^xl\/worksheets\/[^/]+\.xml$/i.test(name)) boundSheet(bytes.toString('latin1'));
  let rows: unknown[][];
  try {
    rows = await readSheet(Buffer.from(zipSync(parts, { level: 0 })), { parseNumber: (text) => ({ number: text }), trim: true }) as unknown[][];
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message.slice(0, 200) : 'it is damaged');
  }
  return rows.map((cells, i) => {
    const read = cells.map((c) => (c === null || c === undefined ? '' : c instanceof Date ? { at: c.getTime() } : typeof c === 'object' && 'number' in c ? { number: String(c.number) } : typeof c === 'boolean' ? String(c) : String(c as string)));
    return read.some((c) => typeof c === 'string' && (c.includes('\u0000') || /[\ud800-\udfff]/u.test(c))) ? { line: i + 1, error: 'the row holds characters that are no text' } : { line: i + 1, cells: read };
  });
}

/** Reads by the central directory (PKWARE APPNOTE 4.3.12) with node's zlib, which stops at a length; encrypted and 64-bit ones are not taken. */
function unpack(body: Buffer): Record<string, Buffer> {
  const end = body.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > body.length) throw unreadable('it has no directory');
  const count = body.readUInt16LE(end + 10);
  let at = body.readUInt32LE(end + 16);
  if (count > MAX_ENTRIES) throw tooLarge(`the workbook has ${count} parts, ${MAX_ENTRIES} are taken`);
  const parts: Record<string, Buffer> = {};
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > body.length || body.readUInt32LE(at) !== 0x02014b50) throw unreadable('its directory is damaged');
    const [flags, method, size] = [body.readUInt16LE(at + 8), body.readUInt16LE(at + 10), body.readUInt32LE(at + 20)];
    const [nameLength, extra, comment, header] = [body.readUInt16LE(at + 28), body.readUInt16LE(at + 30), body.readUInt16LE(at + 32), body.readUInt32LE(at + 42)];
    const name = body.toString('utf8', at + 46, at + 46 + nameLength);
    at += 46 + nameLength + extra + comment;
    if (name.endsWith('/')) continue;
    if ((flags & 1) === 1) throw unreadable('it is encrypted');
    if (header + 30 > body.length || body.readUInt32LE(header) !== 0x04034b50) throw unreadable('a part is not where its directory says');
    const from = header + 30 + body.readUInt16LE(header + 26) + body.readUInt16LE(header + 28);
    const packed = body.subarray(from, from + size);
    const room = Math.min(MAX_ENTRY, MAX_TOTAL - total);
    if (/^xl\/(externalLinks|media|embeddings|drawings|charts)\//i.test(name) || name.toLowerCase() === 'xl/vbaproject.bin') continue; // never needed, and never opened
    let bytes: Buffer;
    try {
      bytes = method === 0 ? packed : method === 8 ? inflateRawSync(packed, { maxOutputLength: Math.max(1, room) }) : Buffer.alloc(0);
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(`the workbook unpacks to more than ${MAX_TOTAL / 1_048_576} MB`);
      throw unreadable('a part is damaged');
    }
    if (bytes.length > room) throw tooLarge(`the workbook unpacks to more than ${MAX_TOTAL / 1_048_576} MB`);
    total += bytes.length;
    parts[name] = bytes;
  }
  return parts;
}

/** Cells say where they stand: the furthest one counts, whatever the sheet says of its size. */
function boundSheet(xml: string): void {
  let rows = 0;
  for (const match of xml.matchAll(/\br="([A-Z]{0,3})(\d{1,9})"|\bref="[^"]*?([A-Z]{1,3})(\d{1,9})"/g)) {
    const [row, column] = match[4] === undefined ? [Number(match[2]), match[1] ?? ''] : [Number(match[4]), match[3] ?? ''];
    if (row > rows) rows = row;
    if (row > MAX_ROWS) throw tooLarge(`the sheet has more than ${MAX_ROWS} rows`);
    let index = 0;
    for (const c of column) index = index * 26 + c.charCodeAt(0) - 64;
    if (index > MAX_COLUMNS) throw tooLarge(`the sheet has more than ${MAX_COLUMNS} columns`);
  }
}
