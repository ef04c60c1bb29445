import type { Sent } from '../edi/answer.ts';
import type { SentOrder } from '../edi/reading.ts';
import { listingOf, MAX_LINES, MAX_ORDER_NO, type DealerAddress, type DealerLine, type DealerOrder, type FileFault } from './order.ts';
import { PERSONAL, TABLE_FIELDS, type DealerProfile, type TableField } from './profile.ts';
import { END_OF_DAY, isUnread, readAmount, readDate, readId, readQuantity, type Unread } from './values.ts';

/** A cell: text, a number of a spreadsheet as it is stored there, or a date of one (ms since epoch). */
export type Cell = string | { number: string } | { at: number };
/** A row with the number of its first line in the file (the header is 1), or why it cannot be read. */
export type TableRow = { line: number; cells: Cell[] } | { line: number; error: string };
export type TableReading = { rows: number; orders: SentOrder[]; faults: FileFault[] };

const NEEDED: readonly TableField[] = ['sku', 'quantity'];
const HEAD: readonly TableField[] = ['currency', 'orderedAt', 'shipBy', 'shipToCode', 'name', 'phone', 'country', 'province', 'city', 'district', 'street', 'postcode', 'remark'];
const MAX_CELL = 2000;

type Row = { line: number; values: Partial<Record<TableField, Cell>> };
type Group = { orderNo: string; first: Row; rows: Row[]; broken: boolean };

/**
 * Reads the rows of a table by a dealer's profile: a row a line, rows of one order number an order, wherever they stand; or the whole file one order. A row that is wrong is reported and leaves its order out,
 * for half an order is another order; the others go on. `fileName`: the order's number where the file is one order and has no column for it.
 */
export function readTable(rows: Iterable<TableRow>, profile: DealerProfile, fileName: string): TableReading {
  const out: TableReading = { rows: 0, orders: [], faults: [] };
  const { columns, grouping } = profile.table;
  const fault = (line: number | null, orderNo: string | null, field: string | null, detail: string): void => { out.faults.push({ line, orderNo, field, detail }); };
  const groups = new Map<string, Group>();
  let places: (TableField | null)[] | null = null;
  let last: Group | null = null;
  let unread: number | null = null;
  // A row that cannot be read, or names no order, may be a line of the order before it or after it: half an order is another order.
  const suspect = (group: Group, line: number): void => {
    if (!group.broken) fault(line, group.orderNo, null, `row ${line} may belong to this order, which is left out until the row is mended`);
    group.broken = true;
  };
  const skip = (line: number): void => {
    unread = line;
    if (last) suspect(last, line);
  };
  for (const row of rows) {
    if (!places) {
      const header = 'error' in row ? row.error : headerOf(row.cells.map(text), columns, grouping);
      if (typeof header === 'string') {
        fault(row.line, null, null, header);
        return out;
      }
      places = header;
      continue;
    }
    if ('cells' in row && row.cells.every((c) => text(c) === '')) continue;
    out.rows += 1;
    if ('error' in row) {
      fault(row.line, null, null, row.error);
      skip(row.line);
      continue;
    }
    const read: Row = { line: row.line, values: {} };
    places.forEach((field, i) => { if (field !== null && row.cells[i] !== undefined && text(row.cells[i]) !== '') read.values[field] = row.cells[i]; });
    const orderNo = orderNoOf(read, grouping, fileName, fault);
    if (orderNo === null) {
      skip(row.line);
      continue;
    }
    const group: Group = groups.get(orderNo) ?? { orderNo, first: read, rows: [], broken: false };
    groups.set(orderNo, group);
    group.rows.push(read);
    if (unread !== null) suspect(group, unread);
    unread = null;
    last = group;
  }
  for (const group of groups.values()) {
    const order = orderOf(group, profile, (line, field, detail) => { group.broken = true; fault(line, group.orderNo, field === null ? null : columns[field] ?? field, detail); });
    if (!group.broken) out.orders.push(order);
  }
  return out;
}

const text = (cell: Cell | undefined): string => (cell === undefined ? '' : typeof cell === 'string' ? cell.trim() : 'number' in cell ? cell.number : new Date(cell.at).toISOString());

/** Where each of our fields stands; text: what is wrong with the header. Columns that the profile does not name are passed over. */
function headerOf(header: readonly string[], columns: DealerProfile['table']['columns'], grouping: 'order' | 'file'): (TableField | null)[] | string {
  const names = new Map(TABLE_FIELDS.map((f) => [columns[f] ?? f, f] as const));
  const places = header.map((h) => names.get(h.replace(/^\uFEFF/, '')) ?? null);
  const twice = places.find((f, i) => f !== null && places.indexOf(f) !== i);
  if (twice) return `column "${columns[twice] ?? twice}" is there twice`;
  const needed = grouping === 'order' ? [...NEEDED, 'orderNo' as const] : NEEDED;
  const missing = needed.find((f) => !places.includes(f));
  return missing ? `column "${columns[missing] ?? missing}" is missing; the profile's columns are ${TABLE_FIELDS.map((f) => columns[f] ?? f).join(', ')}` : places;
}

type Fault = (line: number | null, orderNo: string | null, field: string | null, detail: string) => void;

function orderNoOf(row: Row, grouping: 'order' | 'file', fileName: string, fault: Fault): string | null {
  const given = row.values.orderNo;
  const orderNo = given === undefined ? (grouping === 'file' ? fileName : '') : readText(given);
  const wrong = isUnread(orderNo) ? orderNo.wrong : orderNo === '' ? 'the order number is missing' : orderNo.length > MAX_ORDER_NO ? `the order number is longer than ${MAX_ORDER_NO} characters` : null;
  if (wrong !== null) fault(row.line, null, 'orderNo', wrong);
  return wrong === null ? orderNo as string : null;
}

/** A number of a table as text; what a spreadsheet has cut short is refused. */
function readText(cell: Cell): string | Unread {
  if (typeof cell === 'object' && 'number' in cell && cell.number.replace(/\D/g, '').length > 15) return { wrong: 'a spreadsheet keeps 15 digits of a number: format the column as text' };
  return readId(text(cell));
}

function orderOf(group: Group, profile: DealerProfile, fault: (line: number, field: TableField | null, detail: string) => void): SentOrder {
  const { decimal, dateFormat } = profile.table;
  const head = headOf(group, fault);
  const at = head.line;
  const value = (field: TableField): string => text(head.values[field]);
  const date = (field: TableField): number | null => {
    const cell = head.values[field];
    if (cell === undefined) return null;
    if (typeof cell === 'object' && 'at' in cell) return cell.at;
    const read = readDate(text(cell), dateFormat);
    if (!isUnread(read)) return read;
    fault(at, field, read.wrong);
    return null;
  };
  // A moment at midnight is a day.
  const endOf = (moment: number | null): number | null => (moment !== null && moment % 86_400_000 === 0 ? moment + END_OF_DAY : moment);
  const currency = value('currency') === '' ? profile.currency : value('currency');
  if (!/^[A-Z]{3}$/.test(currency)) fault(at, 'currency', `"${currency}" is no currency: three letters of ISO 4217`);
  const order: DealerOrder = {
    orderNo: group.orderNo, purpose: 'original', orderedAt: date('orderedAt'), shipBy: endOf(date('shipBy')), currency, shipToCode: value('shipToCode') === '' ? null : value('shipToCode'), shipTo: null, buyerName: null,
    remark: value('remark') === '' ? null : value('remark').slice(0, 1000), lines: [],
  };
  order.shipTo = addressOf(order.shipToCode, value, profile, (field, detail) => { fault(at, field, detail); });
  const sent: Sent = { route: { standard: 'table' }, orderDate: '', shipToCode: order.shipToCode, shipToAgency: '', parties: {}, lines: [] };
  for (const row of group.rows) {
    const cell = (field: TableField): Cell | undefined => row.values[field];
    const long = TABLE_FIELDS.find((f) => text(cell(f)).length > MAX_CELL);
    if (long) fault(row.line, long, `the cell is longer than ${MAX_CELL} characters`);
    const lineNo = text(cell('lineNo')) === '' ? String(order.lines.length + 1) : text(cell('lineNo'));
    if (order.lines.some((l) => l.lineNo === lineNo)) fault(row.line, 'lineNo', `line number "${lineNo}" stands there twice in this order`);
    const sku = cell('sku') === undefined ? { wrong: 'the item\'s number is missing' } : readText(cell('sku') as Cell);
    if (isUnread(sku)) fault(row.line, 'sku', sku.wrong);
    const quantity = readQuantity(text(cell('quantity')), decimalOf(cell('quantity'), decimal));
    if (isUnread(quantity)) fault(row.line, 'quantity', quantity.wrong);
    const given = cell('unitPrice');
    const price = given === undefined ? (profile.missingPrice === 'zero' ? 0 : { wrong: 'the price of one unit is missing (or set missingPrice of the profile to zero)' }) : readAmount(text(given), decimalOf(given, decimal), currency);
    if (isUnread(price)) fault(row.line, 'unitPrice', price.wrong);
    if (isUnread(sku) || isUnread(quantity) || isUnread(price)) continue;
    const unit = text(cell('unit'));
    const ids = [{ qualifier: 'SKU', id: sku }];
    const line: DealerLine = { lineNo, ids, sku: listingOf(sku, unit, profile.edi.baseUnits), merchantCode: unit === '' || profile.edi.baseUnits.includes(unit) ? sku : null, quantity, unit, unitPrice: price, title: text(cell('title')).slice(0, 500) };
    order.lines.push(line);
    sent.lines.push({ lineNo, ids, quantity, unit, price: text(given), basis: '' });
  }
  if (group.rows.length > MAX_LINES) fault(at, null, `the order has more than ${MAX_LINES} lines: send it in parts`);
  return { order, sent, at };
}

const decimalOf = (cell: Cell | undefined, own: '.' | ','): '.' | ',' => (typeof cell === 'object' ? '.' : own);

/** What is said of the whole order, on any of its rows; two rows that differ are a fault. */
function headOf(group: Group, fault: (line: number, field: TableField, detail: string) => void): Row {
  const head: Row = { line: group.first.line, values: {} };
  const from = new Map<TableField, number>();
  for (const row of group.rows) {
    for (const field of HEAD) {
      const cell = row.values[field];
      if (cell === undefined) continue;
      if (head.values[field] === undefined) {
        head.values[field] = cell;
        from.set(field, row.line);
      } else if (text(head.values[field]) !== text(cell)) fault(row.line, field, `differs from row ${from.get(field) ?? 0} of the same order${PERSONAL.has(field) ? '' : `: "${text(cell)}" and "${text(head.values[field])}"`}`);
    }
  }
  return head;
}

function addressOf(code: string | null, value: (field: TableField) => string, profile: DealerProfile, fault: (field: TableField, detail: string) => void): DealerAddress | null {
  if (code !== null && value('street') === '') {
    const known = profile.addressBook[code];
    if (!known) fault('shipToCode', `place "${code}" is not in the profile's address book: put it there, or give name, phone, city and street`);
    return known ?? null;
  }
  for (const field of ['name', 'city', 'street'] as const) if (value(field) === '') fault(field, `the receiver's ${field} is missing (or send a shipToCode of the profile's address book)`);
  const optional = (field: 'district' | 'postcode'): object => (value(field) === '' ? {} : { [field]: value(field) });
  return {
    name: value('name'), phone: value('phone'), country: value('country') === '' ? profile.country : value('country'), province: value('province') === '' ? value('city') : value('province'), city: value('city'), street: value('street'),
    ...optional('district'), ...optional('postcode'),
  };
}
