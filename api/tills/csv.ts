import { Readable } from 'node:stream';
import { readRows } from '../orders/import-rows.ts';

export const TILL_COLUMNS = ['location', 'till', 'receiptNo', 'kind', 'soldAt', 'currency', 'channel', 'refersTo', 'sku', 'quantity', 'unitPrice', 'discount', 'condition', 'tender', 'tendered'] as const;
type Row = Partial<Record<(typeof TILL_COLUMNS)[number], string>>;
/** A receipt and its first row (the header is 1); `wrong`: why its rows are none. */
export type TillRecord = { row: number; rows: number; receipt: unknown; wrong: string | null };

/** What a spreadsheet makes of long digits: nobody can tell which number it was. */
const BROKEN = /^\d(\.\d+)?E\+?\d+$/i;
const number = (v: string | undefined): unknown => (v !== undefined && /^-?\d{1,15}$/.test(v) ? Number(v) : v === '' ? undefined : v);
const text = (v: string | undefined): string | undefined => (v === '' ? undefined : v);

/** Rows of tills' sales grouped to receipts: rows of one receipt follow each other, a row a line; `tender` and `tendered` on any of them. A file with a header that is not known gives one wrong record. */
export async function readTillCsv(body: Buffer): Promise<TillRecord[]> {
  const records: (TillRecord & { key: string; list: Row[] })[] = [];
  let header: string[] | null = null;
  for await (const read of readRows(Readable.from([body]))) {
    if ('error' in read) {
      records.push({ row: read.line, rows: 1, receipt: null, wrong: read.error, key: '', list: [] });
      continue;
    }
    if (header === null) {
      header = read.cells;
      const unknown = header.find((name) => !(TILL_COLUMNS as readonly string[]).includes(name));
      if (unknown !== undefined) return [{ row: 1, rows: 1, receipt: null, wrong: `column "${unknown}" is not known; the columns are ${TILL_COLUMNS.join(', ')}` }];
      continue;
    }
    const row: Row = Object.fromEntries(header.map((name, i) => [name, read.cells[i] ?? '']));
    const key = [row.location, row.till, row.receiptNo].join('\n');
    const last = records.at(-1);
    const broken = [row.receiptNo, row.sku, row.refersTo].find((v) => v !== undefined && BROKEN.test(v));
    const wrong = broken === undefined ? null : `row ${read.line}: "${broken}" is a number that a spreadsheet has cut short: format the column as text`;
    if (last?.key === key) {
      last.rows += 1;
      last.list.push(row);
      last.wrong ??= wrong;
    } else records.push({ row: read.line, rows: 1, receipt: null, wrong, key, list: [row] });
  }
  return records.map(({ row, rows, wrong, list }) => ({ row, rows, wrong, receipt: list.length === 0 ? null : receiptOf(list) }));
}

function receiptOf(rows: readonly Row[]): unknown {
  const head = rows[0] ?? {};
  const tenders = rows.filter((r) => text(r.tender) !== undefined).map((r) => ({ method: r.tender, amount: number(r.tendered) }));
  return clean({
    location: text(head.location), till: text(head.till), receiptNo: text(head.receiptNo), kind: text(head.kind) ?? 'sale', soldAt: text(head.soldAt), currency: text(head.currency), channel: text(head.channel), refersTo: text(head.refersTo),
    lines: rows.filter((r) => text(r.sku) !== undefined).map((r) => clean({ sku: r.sku, quantity: number(r.quantity), unitPrice: number(r.unitPrice), discount: number(r.discount), condition: text(r.condition) })),
    tenders: tenders.length === 0 ? undefined : tenders,
  });
}

const clean = (value: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined));
