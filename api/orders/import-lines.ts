import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { parse, type CsvError, type Info } from 'csv-parse';

/** A record of an import: its line (of the first row, in CSV) and what it says, or why it cannot be read. */
export type ImportRecord = { line: number; lines: number; order: unknown } | { line: number; lines: number; error: string };

/** One order a line of JSON. Empty lines are passed over but counted in the numbers. */
export async function* readNdjson(stream: Readable): AsyncGenerator<ImportRecord> {
  let line = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === '') continue;
    try {
      yield { line, lines: 1, order: JSON.parse(text) as unknown };
    } catch (error) {
      yield { line, lines: 1, error: `the line is no valid JSON: ${error instanceof Error ? error.message : 'unknown'}` };
    }
  }
}

/** The columns of a CSV import; one row is one order line, rows of one order follow each other. */
export const CSV_COLUMNS = ['channel', 'externalId', 'type', 'currency', 'orderedAt', 'paymentStatus', 'buyerId', 'name', 'phone', 'country', 'province', 'city', 'district', 'street',
  'postcode', 'sku', 'quantity', 'unitPrice', 'gift', 'freight', 'buyerRemark', 'sellerRemark', 'priority', 'location'] as const;
type Row = Partial<Record<(typeof CSV_COLUMNS)[number], string>>;

/** Rows grouped to orders. A row that cannot be parsed is reported alone; the rows around it go on. */
export async function* readCsv(stream: Readable): AsyncGenerator<ImportRecord> {
  const bad: ImportRecord[] = [];
  const parser = parse({ columns: true, bom: true, info: true, skip_empty_lines: true, skip_records_with_error: true, trim: true, max_record_size: 1_000_000 });
  parser.on('skip', (error: CsvError) => { bad.push({ line: Number((error as unknown as { lines?: number }).lines ?? 0), lines: 1, error: `the row is no valid CSV: ${error.message}` }); });
  stream.once('error', (error) => parser.destroy(error));
  stream.pipe(parser);
  let open = null as { key: string; line: number; rows: Row[] } | null;
  for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: Info }>) {
    yield* bad.splice(0);
    const key = `${record.channel ?? ''}\n${record.externalId ?? ''}`;
    if (open?.key === key) open.rows.push(record);
    else {
      if (open) yield toOrder(open);
      open = { key, line: info.lines, rows: [record] };
    }
  }
  yield* bad.splice(0);
  if (open) yield toOrder(open);
}

function toOrder({ line, rows }: { line: number; rows: Row[] }): ImportRecord {
  const head = rows[0] as Row;
  const unknown = Object.keys(head).filter((name) => !(CSV_COLUMNS as readonly string[]).includes(name));
  if (unknown.length > 0) return { line, lines: rows.length, error: `column "${unknown[0] ?? ''}" is not known; the columns are ${CSV_COLUMNS.join(', ')}` };
  const text = (value: string | undefined): string | undefined => (value === undefined || value === '' ? undefined : value);
  // A number that is none stays text, so that the schema names the field.
  const number = (value: string | undefined): number | string | undefined => (text(value) === undefined ? undefined : /^-?\d+(\.\d+)?$/.test(value ?? '') ? Number(value) : value);
  const order = {
    channel: text(head.channel), externalId: text(head.externalId), type: text(head.type), currency: text(head.currency), orderedAt: text(head.orderedAt),
    payment: { status: text(head.paymentStatus) ?? 'paid' }, buyer: text(head.buyerId) === undefined ? undefined : { id: head.buyerId },
    shipTo: drop({ name: text(head.name), phone: text(head.phone), country: text(head.country), province: text(head.province), city: text(head.city), district: text(head.district), street: text(head.street), postcode: text(head.postcode) }),
    lines: rows.map((r) => drop({ sku: text(r.sku), quantity: number(r.quantity), unitPrice: number(r.unitPrice), gift: text(r.gift) === undefined ? undefined : r.gift === 'true' })),
    freight: number(head.freight), buyerRemark: text(head.buyerRemark), sellerRemark: text(head.sellerRemark), priority: number(head.priority), location: text(head.location),
  };
  return { line, lines: rows.length, order: drop(order) };
}

function drop<T extends Record<string, unknown>>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>;
}
