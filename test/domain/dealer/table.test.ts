import { describe, expect, it } from 'vitest';
import { profileOf, type TableProfile } from '../../../domain/dealer/profile.ts';
import { readTable, type Cell, type TableRow } from '../../../domain/dealer/table.ts';
import { csvCell, excelDate, readAmount, readDate, readId, readQuantity } from '../../../domain/dealer/values.ts';

const rows = (...lines: (Cell[] | string)[]): TableRow[] => lines.map((cells, i) => (typeof cells === 'string' ? { line: i + 1, error: cells } : { line: i + 1, cells }));
const HEADER = ['orderNo', 'sku', 'quantity', 'unitPrice', 'name', 'city', 'street'];
const WHERE = ['Shop', 'Shanghai', '1 Road'];
const read = (table: TableRow[], settings: Record<string, unknown> = {}, secrets: Record<string, string> = {}, name = 'F-1') => readTable(table, profileOf('CNY', settings, secrets), name);
const outline = (r: ReturnType<typeof readTable>) => r.orders.map((o) => [o.order.orderNo, ...o.order.lines.map((l) => `${l.sku} ${l.quantity} ${String(l.unitPrice)}`)]);

describe('readTable', () => {
  it('rows of an order number are an order, wherever they stand', () => {
    const r = read(rows(HEADER, ['A', 'X', '2', '1.5', ...WHERE], ['B', 'Y', '1', '3', ...WHERE], [], ['A', 'Z', '1', '', '', '', '']), { missingPrice: 'zero' });
    expect(outline(r)).toEqual([['A', 'X 2 150', 'Z 1 0'], ['B', 'Y 1 300']]);
    expect([r.rows, r.faults, r.orders.map((o) => o.at)]).toEqual([3, [], [2, 3]]);
  });

  it('maps columns, dates, decimals and places by the profile', () => {
    const table: Partial<TableProfile> = { decimal: ',', dateFormat: 'DD.MM.YYYY', columns: { orderNo: '订单号', sku: '货号', quantity: '数量', unitPrice: '单价', orderedAt: '日期', shipToCode: '门店' } };
    const book = { addressBook: JSON.stringify({ S1: { name: '门店一', phone: '1', country: 'CN', province: '上海', city: '上海', street: '南京路1号' } }) };
    const r = read(rows(['门店', '订单号', '货号', '数量', '单价', '日期', '备用'], ['S1', 'A', 'X', '2,00', '12,5', '22.11.2026', 'whatever']), { table }, book);
    expect(r.faults).toEqual([]);
    expect(r.orders[0]!.order).toMatchObject({ orderedAt: Date.UTC(2026, 10, 22), shipToCode: 'S1', shipTo: { street: '南京路1号' }, lines: [{ sku: 'X', quantity: 2, unitPrice: 1250 }] });
  });

  it('a whole file may be one order, by its name', () => {
    expect(outline(read(rows(HEADER.slice(1), ['X', '1', '1', ...WHERE], ['Y', '2', '1', '', '', '']), { table: { grouping: 'file' } }, {}, 'PO-77'))).toEqual([['PO-77', 'X 1 100', 'Y 2 100']]);
  });

  it('reports each wrong row with its column and how to mend it; its order is left out, the others go on', () => {
    const r = read(rows(HEADER, ['A', '1.23E+17', '1,5', '1.005', ...WHERE], ['B', 'Y', '1', '3', ...WHERE], ['A', '', '0', '', 'Another', '', '']), { table: { columns: { quantity: 'qty' } } });
    expect(r.orders).toEqual([]);
    expect(r.faults).toEqual([{ line: 1, orderNo: null, field: null, detail: expect.stringContaining('column "qty" is missing') as string }]);
    const again = read(rows(HEADER, ['A', '1.23E+17', '1,5', '1.005', ...WHERE], ['B', 'Y', '1', '3', ...WHERE], ['A', '', '0', '', 'Another', '', '']));
    expect(outline(again)).toEqual([['B', 'Y 1 300']]);
    expect(again.faults).toEqual([
      { line: 4, orderNo: 'A', field: 'name', detail: 'differs from row 2 of the same order' },
      { line: 2, orderNo: 'A', field: 'sku', detail: '"1.23E+17" is a number that a spreadsheet has cut short: format the column as text' },
      { line: 2, orderNo: 'A', field: 'quantity', detail: '"1,5" is no quantity: a whole number from 1 to 1000000, without grouping marks' },
      { line: 2, orderNo: 'A', field: 'unitPrice', detail: '"1.005" has more decimals than CNY (2)' },
      { line: 4, orderNo: 'A', field: 'sku', detail: "the item's number is missing" },
      { line: 4, orderNo: 'A', field: 'quantity', detail: '"0" is no quantity: a whole number from 1 to 1000000, without grouping marks' },
      { line: 4, orderNo: 'A', field: 'unitPrice', detail: 'the price of one unit is missing (or set missingPrice of the profile to zero)' },
    ]);
  });

  it('a row that cannot be read takes the orders beside it along: it may be a line of them', () => {
    const row = (no: string): Cell[] => [no, 'X', '1', '1', ...WHERE];
    const r = read(rows(HEADER, row('A'), row('B'), 'the row has 3 fields, the header 7', row('C'), row('D'), ['', 'X', '1', '1', ...WHERE]));
    expect(outline(r).map(([no]) => no)).toEqual(['A']);
    expect(r.faults.map((f) => [f.line, f.orderNo])).toEqual([[4, null], [4, 'B'], [4, 'C'], [7, null], [7, 'D']]);
  });

  it('nothing personal is quoted', () => {
    const r = read(rows([...HEADER, 'phone'], ['A', 'X', '1', '1', 'Zhang San', '', 'Secret Road 1', '13800000000'], ['A', 'Y', '1', '1', 'Li Si', '', 'Other Road', '13900000000']));
    expect(r.orders).toEqual([]);
    expect(JSON.stringify(r.faults)).not.toMatch(/Zhang|Li Si|Road|138|139/);
  });

  it('cells of a spreadsheet: numbers with a point whatever the profile says, dates, ids too long to be true', () => {
    const r = read(rows([...HEADER, 'orderedAt'], ['A', { number: '123' }, { number: '2' }, { number: '1.5' }, ...WHERE, { at: Date.UTC(2026, 10, 22) }], ['B', { number: '1234567890123456' }, '1', '1', ...WHERE, '']), { table: { decimal: ',' } });
    expect(r.orders[0]!.order).toMatchObject({ orderedAt: Date.UTC(2026, 10, 22), lines: [{ sku: '123', quantity: 2, unitPrice: 150 }] });
    expect(r.faults).toMatchObject([{ line: 3, field: 'sku', detail: 'a spreadsheet keeps 15 digits of a number: format the column as text' }]);
  });

  it('a column twice, no order number, a place that is not known', () => {
    expect(read(rows([...HEADER, 'sku'])).faults[0]!.detail).toBe('column "sku" is there twice');
    expect(read(rows([...HEADER, 'shipToCode'], ['A', 'X', '1', '1', '', '', '', 'S9'])).faults).toMatchObject([{ line: 2, field: 'shipToCode', detail: expect.stringContaining('"S9" is not in the profile\'s address book') as string }]);
  });
});

describe('values', () => {
  it.each([['1', 1], ['1000000', 1_000_000], ['5.00', 5], ['+7', 7]])('%s is %d units', (text, n) => { expect(readQuantity(text, '.')).toBe(n); });
  it.each(['', '0', '-1', '1.5', '1,000', '1000001', '1e3', 'NaN', '١'])('"%s" is no quantity', (text) => { expect(readQuantity(text, '.')).toMatchObject({ wrong: expect.any(String) as string }); });
  it.each([['12.5', '.', 'USD', 1250], ['12,50', ',', 'EUR', 1250], ['.5', '.', 'USD', 50], ['100', '.', 'JPY', 100], ['1.234', '.', 'KWD', 1234], ['1.230', '.', 'USD', 123]] as const)('%s is an amount', (text, decimal, currency, n) => { expect(readAmount(text, decimal, currency)).toBe(n); });
  it.each(['', '.', '1,000.00', '-1', '1.005', '$5', '1e5'])('"%s" is no amount', (text) => { expect(readAmount(text, '.', 'USD')).toMatchObject({ wrong: expect.any(String) as string }); });
  it.each([['2026-11-22', 'YYYY-MM-DD', Date.UTC(2026, 10, 22)], ['22/11/26', 'DD/MM/YY', Date.UTC(2026, 10, 22)], ['20261122 0930', 'YYYYMMDD HHmm', Date.UTC(2026, 10, 22, 9, 30)], ['2026年11月22日', 'YYYY年MM月DD日', Date.UTC(2026, 10, 22)]] as const)('%s as %s', (text, format, at) => { expect(readDate(text, format)).toBe(at); });
  it.each(['2026-02-30', '2026-13-01', '22.11.2026', '', '2026-11-22T00:00'])('"%s" is no date as YYYY-MM-DD', (text) => { expect(readDate(text, 'YYYY-MM-DD')).toMatchObject({ wrong: expect.any(String) as string }); });
  it('PUBLISHED: 39448 is 2008-01-01 (Microsoft, date systems)', () => { expect(excelDate(39_448)).toBe(Date.UTC(2008, 0, 1)); });
  it('a number cut short is no id', () => { expect([readId('6.91E+12'), readId('00123'), readId('4E5X')]).toEqual([{ wrong: expect.any(String) as string }, '00123', '4E5X']); });
  it.each([['=1+1', "'=1+1"], ['+49', "'+49"], ['-1', "'-1"], ['@SUM(A1)', "'@SUM(A1)"], ['\t=1', '"\'\t=1"'], ['\r=1', '"\'\r=1"'], [' =1', "' =1"], ['＝1', "'＝1"], ['a"b', '"a""b"'], ['a,b', '"a,b"'], ['plain', 'plain']])('%j is written as %s', (text, cell) => { expect(csvCell(text)).toBe(cell); });
  it('numbers of ours are numbers', () => { expect(csvCell(-5)).toBe('-5'); });
});
