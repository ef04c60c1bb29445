import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCsv } from '../../../api/orders/import-csv.ts';
import { readNdjson, type ImportRecord } from '../../../api/orders/import-lines.ts';
import { TestApi } from '../../support/api.ts';

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await TestApi.open({ stock: 100_000 });
  key = await api.key('import', ['orders:write']);
});
afterAll(async () => { await api.close(); });

type Said = Record<string, unknown>;
async function send(type: string, payload: string | Buffer): Promise<{ errors: Said[]; progress: Said[]; summary: Said }> {
  const response = await api.app.inject({ method: 'POST', url: '/v1/orders/import', headers: { authorization: `Bearer ${key}`, 'content-type': type }, payload });
  expect(response.statusCode).toBe(200);
  const said = response.body.trim().split('\n').map((line) => JSON.parse(line) as Said);
  const of = (kind: string) => said.filter((m) => m['type'] === kind);
  expect(said.at(-1)?.['type']).toBe('summary');
  return { errors: of('error').sort((a, b) => Number(a['line']) - Number(b['line'])), progress: of('progress'), summary: said.at(-1) as Said };
}
const NDJSON = 'application/x-ndjson';
const counts = (lines: number, orders: number, captured: number, repeated: number, failed: number) => ({ type: 'summary', lines, orders, captured, repeated, failed });
const places = (errors: Said[]) => errors.map((e) => [e['line'], e['code'], e['field'] ?? null]);
const captured = async (externalId: string) => {
  const { rows } = await api.world.store.pool.query<{ line: number; sku: string; quantity: number; price: number; gift: boolean; freight: number }>(
    `select l.line_no line, l.sku_code sku, l.quantity, l.unit_price price, l.gift, o.freight_amount freight from order_lines l join orders o on o.id = l.order_id where o.external_id = $1 order by 1`, [externalId]);
  return rows;
};
const order = (changes: object = {}): string => JSON.stringify({ ...api.world.intake({ externalId: randomUUID() }), ...changes });
async function all(records: AsyncIterable<ImportRecord>): Promise<ImportRecord[]> {
  const found: ImportRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

describe('NDJSON', () => {
  test('a body is read as strictly as that of POST /v1/orders: nothing is converted', async () => {
    const lines = [order({ freight: '800' }), order({ lines: [{ sku: 'SKU-1', quantity: '2', unitPrice: 1 }] }), order({ lines: { sku: 'SKU-1', quantity: 1, unitPrice: 1 } }), order({ surprise: 1 }), '[]', 'null', order()];
    const { errors, summary } = await send(NDJSON, lines.join('\n'));
    expect(places(errors)).toEqual([[1, 'invalid', '/freight'], [2, 'invalid', '/lines/0/quantity'], [3, 'invalid', '/lines'], [4, 'invalid', '/surprise'], [5, 'invalid', '/'], [6, 'invalid', '/']]);
    expect(summary).toEqual(counts(7, 7, 1, 0, 6));
  });

  test('what JSON allows in a line is one line: U+2028 in a text; CRLF, a byte order mark, empty lines and no last end', async () => {
    const first = randomUUID();
    const { errors, summary } = await send(NDJSON, `\ufeff${order({ externalId: first, buyerRemark: 'above\u2028below\u2029end' })}\r\n\r\n  \n${order({ lines: [] })}\r\n${order()}`);
    expect(places(errors)).toEqual([[4, 'invalid', '/lines']]);
    expect(summary).toEqual(counts(3, 3, 2, 0, 1));
    expect(await captured(first)).toHaveLength(2);
  });

  test('text in another encoding and a line without an end are reported, not guessed and not kept in memory', async () => {
    const gbk = Buffer.concat([Buffer.from('{"channel":"own","externalId":"'), Buffer.from([0xc9, 0xcf, 0xba, 0xa3]), Buffer.from('"}')]);
    const long = Buffer.from(`{"channel":"${'x'.repeat(3_000_000)}"}`);
    const { errors, summary } = await send(NDJSON, Buffer.concat([gbk, Buffer.from('\n'), long, Buffer.from(`\n${order()}`)]));
    expect(errors.map((e) => [e['line'], e['code'], e['reason']])).toEqual([[1, 'malformed', 'the line is no valid UTF-8'], [2, 'malformed', 'the line is longer than 1048576 bytes']]);
    expect(summary).toEqual(counts(3, 3, 1, 0, 2));
  });

  test('thousands: progress while it runs; sent again, all are repetitions; another body under a known id is a conflict', async () => {
    const ids = Array.from({ length: 2_500 }, () => randomUUID());
    const body = ids.map((externalId) => order({ externalId, lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 5 }] })).join('\n');
    const { errors, progress, summary } = await send(NDJSON, body);
    expect([errors, summary]).toEqual([[], counts(2_500, 2_500, 2_500, 0, 0)]);
    expect(progress.map((p) => p['lines'])).toEqual(expect.arrayContaining([1_000, 2_000]));
    expect((await send(NDJSON, body)).summary).toEqual(counts(2_500, 2_500, 0, 2_500, 0));
    const other = await send(NDJSON, order({ externalId: ids[7] as string, freight: 1 }));
    expect([places(other.errors), other.summary]).toEqual([[[1, 'duplicate_with_other_body', '/externalId']], counts(1, 1, 0, 0, 1)]);
    expect(await api.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  test('two bodies for one order in a file: the earlier is captured, however often it is tried', async () => {
    const pairs = Array.from({ length: 40 }, () => randomUUID());
    const { errors, summary } = await send(NDJSON, pairs.flatMap((externalId) => [order({ externalId, freight: 1 }), order({ externalId, freight: 2 })]).join('\n'));
    expect(places(errors)).toEqual(pairs.map((_, i) => [2 * i + 2, 'duplicate_with_other_body', '/externalId']));
    expect(summary).toEqual(counts(80, 80, 40, 0, 40));
    expect(await api.world.one('select count(*)::int n, sum(freight_amount)::int freight from orders where external_id = any($1)', pairs)).toEqual({ n: 40, freight: 40 });
  });

  test('a multi-byte character across two chunks stays whole; an upload that breaks off ends the reading with its error', async () => {
    const bytes = Buffer.from('{"a":"上海"}\n{"a":1}\n');
    expect(await all(readNdjson(Readable.from([...bytes].map((b) => Buffer.from([b])))))).toEqual([{ line: 1, lines: 1, order: { a: '上海' } }, { line: 2, lines: 1, order: { a: 1 } }]);
    for (const read of [readNdjson, readCsv]) {
      const stream = new PassThrough();
      stream.write('{"a":1}\n');
      setImmediate(() => { stream.destroy(new Error('connection lost')); });
      await expect(all(read(stream))).rejects.toThrow('connection lost');
    }
  });

  test('the answer begins before the upload ends; a client that leaves midway loses nothing it sent whole', async () => {
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const externalId = randomUUID();
    const client = httpRequest({ port: (api.app.server.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST', path: '/v1/orders/import', headers: { authorization: `Bearer ${key}`, 'content-type': NDJSON } });
    client.write(`no json\n${order({ externalId })}\n{"half`);
    const [response] = await once(client, 'response') as [Readable];
    const [chunk] = await once(response, 'data') as [Buffer];
    expect(JSON.parse(chunk.toString().split('\n')[0] as string)).toMatchObject({ type: 'error', line: 1, code: 'malformed' });
    const closed = once(client, 'close');
    client.destroy();
    await closed;
    await expect.poll(() => captured(externalId), { timeout: 10_000 }).toHaveLength(2);
  });
});

describe('CSV', () => {
  const COLUMNS = 'channel,externalId,currency,name,phone,country,province,city,street,sku,quantity,unitPrice,gift,freight,buyerRemark';
  const row = (id: string, sku: string, { quantity = '1', gift = '', freight = '800', remark = '', name = 'Test Person' } = {}): string =>
    `own,${id},CNY,${name},10000000001,CN,Shanghai,Shanghai,1 Example Road,${sku},${quantity},1000,${gift},${freight},${remark}`;
  const csv = (...rows: string[]) => send('text/csv', [COLUMNS, ...rows].join('\n'));

  test('rows of one order are one order, quoted fields hold commas, quotes and line ends', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const { errors, summary } = await csv(row(a, 'SKU-1', { remark: '"two\nlines, ""quoted"""' }), row(a, 'SKU-2', { quantity: '3', gift: 'true', freight: '', remark: '' }), '', row(b, 'SKU-3'));
    expect([errors, summary]).toEqual([[], counts(3, 2, 2, 0, 0)]);
    expect(await captured(a)).toEqual([{ line: 1, sku: 'SKU-1', quantity: 1, price: 1000, gift: false, freight: 800 }, { line: 2, sku: 'SKU-2', quantity: 3, price: 1000, gift: true, freight: 800 }]);
    const { contact_id: contact } = await api.world.one<{ contact_id: string }>('select contact_id from orders where external_id = $1', a);
    expect((await api.world.store.vault.readContact(api.world.store.pool, contact))?.buyerRemark).toBe('two\nlines, "quoted"');
  });

  test('a quote that never closes costs its own row, not those behind it', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    const { errors, summary } = await csv(row(ids[0] as string, 'SKU-1'), row(randomUUID(), 'SKU-2', { remark: '"never closed' }), row(ids[1] as string, 'SKU-3', { remark: '"a, b"' }), 'own,x"y,z', row(ids[2] as string, 'SKU-4'));
    expect(errors.map((e) => [e['line'], e['code']])).toEqual([[3, 'malformed'], [5, 'malformed']]);
    expect(summary).toEqual(counts(5, 5, 3, 0, 2));
    for (const id of ids) expect(await captured(id)).toHaveLength(1);
  });

  test('rows with too few or too many fields are reported by number', async () => {
    const id = randomUUID();
    const { errors, summary } = await csv('own,only,three', row(id, 'SKU-1'), `${row(randomUUID(), 'SKU-1')},surplus`);
    expect(errors.map((e) => [e['line'], e['reason']])).toEqual([[2, 'the row has 3 fields, the header 15'], [4, 'the row has 16 fields, the header 15']]);
    expect(summary).toEqual(counts(3, 3, 1, 0, 2));
  });

  test('an order with a row that cannot be read is not captured in part', async () => {
    const [middle, last, first, fine] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const broken = (id: string): string => row(id, 'SKU-2', { remark: 'x"y' });
    const { errors, summary } = await csv(row(middle, 'SKU-1'), broken('unreadable'), row(middle, 'SKU-3'), row(last, 'SKU-1'), broken(last), broken(first), row(first, 'SKU-1'), row(fine, 'SKU-1'));
    expect(errors.filter((e) => String(e['reason']).includes('is not captured')).map((e) => [e['line'], e['reason']])).toEqual([
      [2, 'row 3 cannot be read: an order is not captured in part'], [5, 'row 6 cannot be read: an order is not captured in part'], [8, 'row 7 cannot be read: an order is not captured in part'],
    ]);
    expect(summary).toEqual(counts(8, 7, 1, 0, 6));
    for (const id of [middle, last, first]) expect(await captured(id)).toEqual([]);
    expect(await captured(fine)).toHaveLength(1);
  });

  test('values that are none are named, never taken for something else; rows of one order must agree', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    const { errors, summary } = await csv(row(randomUUID(), 'SKU-1', { gift: 'maybe' }), row(randomUUID(), 'SKU-1', { quantity: '1.5' }), row(randomUUID(), 'SKU-1', { quantity: 'two' }),
      row(ids[0] as string, 'SKU-1'), row(ids[0] as string, 'SKU-2', { freight: '900' }), row(ids[1] as string, 'SKU-1', { gift: 'FALSE' }), row(ids[2] as string, 'SKU-1'), row(ids[1] as string, 'SKU-2'));
    expect(places(errors)).toEqual([[2, 'invalid', '/lines/0/gift'], [3, 'invalid', '/lines/0/quantity'], [4, 'invalid', '/lines/0/quantity'], [5, 'malformed', null], [9, 'duplicate_with_other_body', '/externalId']]);
    expect(errors[3]?.['reason']).toBe('row 6: freight is not that of the first row of this order');
    expect(summary).toEqual(counts(8, 7, 2, 0, 5));
  });

  test('a header that is not known: every order says so, nothing is captured', async () => {
    const { errors, summary } = await send('text/csv; charset=utf-8', `channel,externalId,colour\r\nown,a,red\r\nown,b,blue\r\n`);
    expect(errors.map((e) => [e['line'], e['code'], String(e['reason']).split(';')[0]])).toEqual([[2, 'malformed', 'column "colour" is not known'], [3, 'malformed', 'column "colour" is not known']]);
    expect(summary).toEqual(counts(2, 2, 0, 0, 2));
    expect((await send('text/csv', 'channel,channel\nown,own')).errors).toMatchObject([{ line: 2, reason: 'column "channel" is there twice' }]);
    expect((await send('text/csv', '')).summary).toEqual(counts(0, 0, 0, 0, 0));
  });

  test('more rows than an order may have: refused as one, not kept in memory', async () => {
    const id = randomUUID();
    const { errors, summary } = await csv(...Array.from({ length: 3_000 }, () => row(id, 'SKU-1')), row(randomUUID(), 'SKU-1'));
    expect(places(errors)).toEqual([[2, 'invalid', '/lines']]);
    expect(summary).toEqual(counts(3_001, 2, 1, 0, 1));
  });
});
