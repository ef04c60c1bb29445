import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DealerScene } from '../../channels/dealer/dealer-scene.ts';

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const HEADER = 'orderNo,sku,quantity,unitPrice,name,phone,city,street';
const row = (no: string, sku = 'SKU-1', quantity = '1', price = '10.00', name = 'Shop'): string => `${no},${sku},${quantity},${price},${name},10000000001,Shanghai,1 Road`;
const csv = (...rows: string[]): string => [HEADER, ...rows].join('\r\n');

/** A workbook of one sheet; cells are XML as Excel writes them. */
function workbook(sheet: string, more: Record<string, Uint8Array> = {}): Buffer {
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
  const rel = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
  return Buffer.from(zipSync({
    '[Content_Types].xml': strToU8('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'),
    '_rels/.rels': strToU8(`<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>`),
    'xl/workbook.xml': strToU8(`<?xml version="1.0"?><workbook xmlns="${main}" xmlns:r="${rel}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`),
    'xl/_rels/workbook.xml.rels': strToU8(`<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${rel}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${rel}/styles" Target="styles.xml"/></Relationships>`),
    'xl/styles.xml': strToU8(`<?xml version="1.0"?><styleSheet xmlns="${main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>`),
    'xl/worksheets/sheet1.xml': strToU8(`<?xml version="1.0"?><worksheet xmlns="${main}"><sheetData>${sheet}</sheetData></worksheet>`), ...more,
  }));
}
const sheetRow = (n: number, cells: string[]): string => `<row r="${n}">${cells.map((c, i) => c.replace('<c', `<c r="${String.fromCharCode(65 + i)}${n}"`)).join('')}</row>`;
const t = (text: string): string => `<c t="inlineStr"><is><t>${text}</t></is></c>`;
const v = (number: string, style = 0): string => `<c s="${style}"><v>${number}</v></c>`;

describe('CSV and Excel of dealers', () => {
  let s: DealerScene;
  beforeAll(async () => { s = await DealerScene.open(); });
  afterAll(() => s.close());

  it('good orders go on, bad lines are named, and the whole comes back as a table', async () => {
    const sent = await s.post(csv(row('A'), row('B', 'SKU-2', 'x'), row('A', 'SKU-2', '2', '5'), row('C', '"=HYPERLINK(""http://x"")"'), row('D', 'SKU-4', '40')));
    expect([sent.status, sent.body.rows, sent.body.orders, sent.body.faultList]).toEqual([201, 5, 3, [{ line: 3, orderNo: 'B', field: 'quantity', detail: '"x" is no quantity: a whole number from 1 to 1000000, without grouping marks' }]]);
    await s.sync();
    const result = await s.text(`/v1/dealer-files/${sent.body.id}/result`);
    expect(result.replace(/ord_\w+/g, 'ord')).toBe('\uFEFF' + [
      'line,orderNo,lineNo,sku,outcome,order,ordered,accepted,backordered,field,detail', '3,B,,,fault,,,,,quantity,"""x"" is no quantity: a whole number from 1 to 1000000, without grouping marks"',
      '2,A,1,SKU-1,open,ord,1,1,0,,', '2,A,2,SKU-2,open,ord,2,2,0,,',
      '5,C,1,"\'=HYPERLINK(""http://x"")",held,,1,,,unmapped_sku,"listing =HYPERLINK(""http://x"") (=HYPERLINK(""http://x"")) is not mapped to a SKU of ours"', '6,D,1,SKU-4,open,ord,40,30,10,,', ''].join('\r\n'));
    const responses = await s.written('response');
    expect(responses.map((r) => r.replace(/ord_\w+/g, 'ord')).sort()).toEqual([
      '\uFEFForderNo,order,lineNo,sku,ordered,accepted,backordered,refused\r\nA,ord,1,SKU-1,1,1,0,0\r\nA,ord,2,SKU-2,2,2,0,0\r\n', '\uFEFForderNo,order,lineNo,sku,ordered,accepted,backordered,refused\r\nD,ord,1,SKU-4,40,30,10,0\r\n']);
    await s.ship('A');
    await s.sync();
    const [shipment] = await s.written('shipment');
    expect(shipment!.split('\r\n')[1]).toMatch(/^A,1,SKU-1,1,sim,[^,]+,2026-11-23T02:00:0\d\.\d{3}Z,shp_\w{26}$/);
  });

  it('a table with faults is read again once its profile is mended; what was taken stays taken', async () => {
    const text = csv(row('M'), row('N', 'SKU-2', '1', '')); // N has no price
    expect((await s.post(text)).body).toMatchObject({ faults: 1, orderList: [{ orderNo: 'M', outcome: 'taken' }] });
    await s.ask('PUT', `/v1/channels/${s.code}/shop`, { settings: { mapByMerchantCode: true, missingPrice: 'zero' } });
    const again = await s.post(text);
    expect(again.status).toBe(201);
    expect(again.body).toMatchObject({ faults: 0, repeated: 1, orderList: [{ orderNo: 'M', outcome: 'repeated' }, { orderNo: 'N', outcome: 'taken' }] });
    expect((await s.post(text)).body.repeatedNow).toBe(true);
    await s.sync();
    expect(await s.world.one(`select count(*)::int n from orders where external_id in ('M', 'N')`)).toEqual({ n: 2 });
  });

  it('an order sent again in another file is one order; with another content it is refused', async () => {
    const before = await s.count('dealer_orders');
    expect((await s.post(csv(row('A'), row('A', 'SKU-2', '2', '5'), row('NEW')))).body).toMatchObject({ orderList: [{ outcome: 'repeated' }, { outcome: 'taken' }] });
    expect((await s.post(csv(row('A', 'SKU-1', '9')))).body).toMatchObject({ orderList: [{ outcome: 'other_content' }], faultList: [{ line: 2, orderNo: 'A' }] });
    expect(await s.count('dealer_orders')).toBe(before + 1);
  });

  it('GBK, semicolons, German decimals, headers of the dealer', async () => {
    await s.addDealer('dealer-gbk', 'CNY', {
      table: { encoding: 'gbk', delimiter: ';', decimal: ',', dateFormat: 'DD.MM.YYYY', columns: { orderNo: '订单号', sku: '货号', quantity: '数量', unitPrice: '单价', name: '收货人', phone: '电话', city: '城市', street: '地址', orderedAt: '日期' } },
    });
    // 订单号;货号;数量;单价;收货人;电话;城市;地址;日期 and 张三 at 南京路 in GBK
    const gbk = Buffer.concat([Buffer.from('b6a9b5a5bac53bbbf5bac53bcafdc1bf3bb5a5bcdb3bcad5bbf5c8cb3bb5e7bbb03bb3c7cad03bb5d8d6b73bc8d5c6da0d0a', 'hex'), Buffer.from('G1;SKU-1;1;12,50;'), Buffer.from('d5c5c8fd', 'hex'), Buffer.from(';10000000001;Shanghai;'), Buffer.from('c4cfbea9c2b7', 'hex'), Buffer.from(';22.11.2026\r\n')]);
    const sent = await s.post(gbk, 'text/csv', 'g.csv', 'dealer-gbk');
    expect(sent.body.faultList).toEqual([]);
    expect(sent.body.orderList).toMatchObject([{ orderNo: 'G1', outcome: 'taken' }]);
    expect((await s.post(Buffer.concat([gbk, Buffer.from([0x47, 0x32, 0xff, 0xff, 0x3b, 0x0d, 0x0a])]), 'text/csv', 'g2.csv', 'dealer-gbk')).body.faultList).toMatchObject([{ line: 3 }, { line: 3, orderNo: 'G1' }]);
  });

  it('reads .xlsx: texts, numbers, dates', async () => {
    const sheet = sheetRow(1, ['orderNo', 'sku', 'quantity', 'unitPrice', 'name', 'phone', 'city', 'street', 'orderedAt'].map(t)) + sheetRow(2, [t('X1'), t('SKU-1'), v('2'), v('12.5'), t('张三'), t('1'), t('上海'), t('南京路1号'), v('46348', 1)])
      + sheetRow(3, [t('X2'), v('1.2345678901234568E+19'), v('2.5'), v('1'), t('S'), t('1'), t('C'), t('R')]);
    const sent = await s.post(workbook(sheet), XLSX, 'orders.xlsx');
    expect(sent.body.faultList).toMatchObject([{ line: 3, orderNo: 'X2', field: 'sku' }, { line: 3, orderNo: 'X2', field: 'quantity' }]);
    expect([sent.body.format, sent.body.orderList.map((o) => o.orderNo)]).toEqual(['xlsx', ['X1']]);
    await s.sync();
    expect(await s.world.one(`select ordered_at at, total_amount::int total from orders where external_id = 'X1'`)).toEqual({ at: new Date('2026-11-22T00:00:00Z'), total: 2500 });
    expect((await s.post(workbook(sheet.replaceAll('X1', 'X3')), 'application/octet-stream', 'unnamed')).body.format).toBe('xlsx');
  });

  it.each([
    ['a part of more than 32 MB', () => workbook('', { 'xl/worksheets/sheet1.xml': new Uint8Array(33 * 1_048_576) }), 413],
    ['many parts of more than 64 MB', () => workbook('', Object.fromEntries([1, 2, 3].map((n) => [`xl/worksheets/sheet${n}.xml`, new Uint8Array(30 * 1_048_576)]))), 413],
    ['a row far away', () => workbook('<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>'), 413], ['a column far away', () => workbook('<row r="1"><c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row>'), 413],
    ['a size that it only claims', () => workbook('</sheetData><dimension ref="A1:XFD1048576"/><sheetData>'), 413], ['more than 200 parts', () => workbook('', Object.fromEntries(Array.from({ length: 210 }, (_, i) => [`p${i}`, new Uint8Array(1)]))), 413],
    ['no zip', () => Buffer.from('PK\u0003\u0004 nothing'), 400], ['a zip cut short', () => workbook('').subarray(0, 200), 400], ['no workbook', () => Buffer.from(zipSync({ 'a.txt': strToU8('hello') })), 400],
  ])('a workbook that is %s is refused, and nothing of it kept', async (_name, make, status) => {
    const before = await s.count('dealer_files');
    const sent = await s.post(make(), XLSX, 'bomb.xlsx');
    expect(sent.status).toBe(status);
    expect(await s.count('dealer_files')).toBe(before);
  });

  it('what is no file is refused with the reason', async () => {
    const cases: [string, string, number, string][] = [['', 'text/csv', 400, 'malformed'], ['{}', 'application/json', 400, 'malformed'], ['hello', 'application/edi-x12', 400, 'malformed'], ['UNZ', 'application/edifact', 400, 'malformed']];
    for (const [body, type, status, code] of cases) expect(await s.post(body, type)).toMatchObject({ status, body: { code } });
    expect(await s.post(csv(row('Q')), 'text/csv', 'q.csv', 'own')).toMatchObject({ status: 422, body: { code: 'unknown_channel' } });
    expect(await s.post(csv(row('Q')), 'text/csv', 'q.csv', 'nobody')).toMatchObject({ status: 422, body: { code: 'unknown_channel' } });
    expect((await s.post('a,b\n1,2')).body.faultList[0]!.detail).toContain('column "sku" is missing');
  });

  it('stock is fetched as CSV, by the publishing rules', async () => {
    await s.addDealer('dealer-stock', 'CNY', {});
    await s.ask('PUT', '/v1/channels/dealer-stock/listings/D-3', { components: [{ sku: 'SKU-3', quantity: 1 }] });
    await s.ask('PUT', `/v1/channels/dealer-stock/listings/${encodeURIComponent('D-3/CA')}`, { components: [{ sku: 'SKU-3', quantity: 4 }] });
    await s.ask('PUT', '/v1/channels/dealer-stock/listings/+D4', { components: [{ sku: 'SKU-4', quantity: 1 }] });
    await s.ask('PUT', '/v1/channels/dealer-stock/publishing', { buffer: 2 });
    await s.ask('PUT', '/v1/channels/dealer-stock/publishing', { sku: 'SKU-4', mode: 'zero' });
    const at = s.world.now.toISOString();
    expect(await s.text('/v1/channels/dealer-stock/inventory-file')).toBe(`\uFEFFsku,ourSku,quantity,at\r\nD-3,SKU-3,28,${at}\r\nD-3/CA,SKU-3,5,${at}\r\n'+D4,SKU-4,0,${at}\r\n`);
  });

  it('documents are handed out until somebody says that they were delivered', async () => {
    const open = async () => (await s.ask<{ items: { id: number }[] }>('GET', `/v1/dealer-documents?channel=${s.code}&open=true`)).items.map((d) => d.id);
    const [first, ...rest] = await open();
    const at = await s.ask<{ deliveredAt: string }>('PUT', `/v1/dealer-documents/${first}/delivered`);
    expect(await s.ask('PUT', `/v1/dealer-documents/${first}/delivered`)).toEqual(at);
    expect(await open()).toEqual(rest);
    await expect(s.ask('PUT', '/v1/dealer-documents/999999/delivered')).rejects.toThrow('404');
    await expect(s.text('/v1/dealer-documents/999999')).rejects.toThrow('404');
    await expect(s.file('fil_00000000000000000000000000')).rejects.toThrow('404');
  });

  it('a key that is bound to a location sees nothing of it, and changes nothing', async () => {
    const { createApiKey } = await import('../../../db/api-keys.ts');
    const { key } = await createApiKey(s.world.store.pool, { name: 'bound', scopes: ['orders:read', 'orders:write', 'orders:operate', 'stock:read'], locationCode: [...s.world.store.network.locations.keys()][0]! });
    await s.world.store.network.reload();
    const before = await s.count('dealer_files');
    for (const [method, url] of [['POST', `/v1/dealer-files?channel=${s.code}&name=x`], ['GET', '/v1/dealer-files'], ['GET', '/v1/dealer-documents'], ['GET', `/v1/channels/${s.code}/inventory-file`], ['POST', `/v1/channels/${s.code}/dealer-orders/refuse`]] as const) {
      const response = await s.app.inject({ method, url, headers: { authorization: `Bearer ${key}`, ...(method === 'POST' ? { 'content-type': url.includes('refuse') ? 'application/json' : 'text/csv' } : {}) }, ...(method === 'POST' ? { payload: url.includes('refuse') ? '{"orderNo":"A","reason":"x"}' : csv(row('Z')) } : {}) });
      expect([url, response.statusCode]).toEqual([url, 403]);
    }
    expect(await s.count('dealer_files')).toBe(before);
  });
});
