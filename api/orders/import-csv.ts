import type { Readable } from 'node:stream';
import type { ImportRecord } from './import-lines.ts';
import { readRows } from './import-rows.ts';

/** The columns of a CSV import; one row is one order line, rows of one order follow each other. */
export const CSV_COLUMNS = ['channel', 'externalId', 'type', 'currency', 'orderedAt', 'paymentStatus', 'buyerId', 'name', 'phone', 'country', 'province', 'city', 'district', 'street',
  'postcode', 'sku', 'quantity', 'unitPrice', 'gift', 'freight', 'buyerRemark', 'sellerRemark', 'priority', 'location'] as const;
type Column = (typeof CSV_COLUMNS)[number];
type Row = Partial<Record<Column, string>>;
const OF_LINE: ReadonlySet<string> = new Set<Column>(['sku', 'quantity', 'unitPrice', 'gift']);
/** One more than an order may have: the schema then refuses it, and the rest need not be kept. */
const MAX_ROWS = 501;

/** The rows of one order. `wrong`: why they are none. */
type Group = { key: string; line: number; count: number; rows: Row[]; wrong: string | null };

const keyOf = (row: Row): string => `${row.channel ?? ''}\n${row.externalId ?? ''}`;

function headerFault(names: readonly string[]): string | null {
  const unknown = names.find((name) => !(CSV_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) return `column "${unknown}" is not known; the columns are ${CSV_COLUMNS.join(', ')}`;
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  return twice === undefined ? null : `column "${twice}" is there twice`;
}

/**
 * Rows grouped to orders. A row that cannot be read is reported alone and the rows around it go on; but an order it stands in, or seems to belong to, is not
 * captured in part. What a row says of its order must be what the first one says, or nothing.
 */
export async function* readCsv(stream: Readable): AsyncGenerator<ImportRecord> {
  let header: string[] | null = null;
  let wrong: string | null = null;
  let open = null as Group | null;
  let bad: { line: number; key: string }[] = [];
  const rowOf = (cells: readonly string[]): Row => Object.fromEntries((header ?? []).map((name, i) => [name, cells[i] ?? '']));
  const unread = (line: number): string => `row ${line} cannot be read: an order is not captured in part`;
  for await (const read of readRows(stream)) {
    const { line } = read;
    if ('error' in read) {
      yield { line, lines: 1, error: read.error };
      if (header === null) {
        header = [];
        wrong = 'the header cannot be read';
        continue;
      }
      const key = keyOf(rowOf(read.text.split(',').map((cell) => cell.trim().replace(/^"|"$/g, ''))));
      if (open?.key === key) open.wrong ??= unread(line);
      if (bad.length < MAX_ROWS) bad.push({ line, key });
      continue;
    }
    if (header === null) {
      header = read.cells;
      wrong = headerFault(header);
      continue;
    }
    const row = rowOf(read.cells);
    const key = keyOf(row);
    if (open?.key === key) {
      const head = open.rows[0] as Row;
      const other = Object.entries(row).find(([name, value]) => !OF_LINE.has(name) && value !== '' && value !== head[name as Column]);
      if (bad[0]) open.wrong ??= unread(bad[0].line);
      else if (other) open.wrong ??= `row ${line}: ${other[0]} is not that of the first row of this order`;
      open.count += 1;
      if (open.rows.length < MAX_ROWS) open.rows.push(row);
    } else {
      if (open) yield toRecord(open);
      const before = bad.find((b) => b.key === key);
      open = { key, line, count: 1, rows: [row], wrong: wrong ?? (before ? unread(before.line) : null) };
    }
    bad = [];
  }
  if (open) yield toRecord(open);
}

const text = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
/** A number or a truth value that is none stays text, so that the schema names the field. */
const number = (value: string | undefined): number | string | undefined => (value !== undefined && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : text(value));
const truth = (value: string | undefined): boolean | string | undefined => (value !== undefined && /^(true|false)$/i.test(value) ? value.toLowerCase() === 'true' : text(value));

function toRecord({ line, count, rows, wrong }: Group): ImportRecord {
  if (wrong !== null) return { line, lines: count, error: wrong };
  const head = rows[0] as Row;
  const order = {
    channel: text(head.channel), externalId: text(head.externalId), type: text(head.type), currency: text(head.currency), orderedAt: text(head.orderedAt),
    payment: { status: text(head.paymentStatus) ?? 'paid' }, buyer: text(head.buyerId) === undefined ? undefined : { id: head.buyerId },
    shipTo: drop({
      name: text(head.name), phone: text(head.phone), country: text(head.country), province: text(head.province), city: text(head.city), district: text(head.district), street: text(head.street),
      postcode: text(head.postcode),
    }),
    lines: rows.map((r) => drop({ sku: text(r.sku), quantity: number(r.quantity), unitPrice: number(r.unitPrice), gift: truth(r.gift) })),
    freight: number(head.freight), buyerRemark: text(head.buyerRemark), sellerRemark: text(head.sellerRemark), priority: number(head.priority), location: text(head.location),
  };
  return { line, lines: count, order: drop(order) };
}

function drop<T extends Record<string, unknown>>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
}
