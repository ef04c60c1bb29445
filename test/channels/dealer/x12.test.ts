import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeId } from '../../../domain/ids.ts';
import { DealerScene, X12 } from './dealer-scene.ts';

const ISA = (control: string, usage = 'P'): string => `ISA*00*          *00*          *ZZ*DEALER1        *ZZ*TRIBUTARY      *261123*0200*U*00401*${control}*0*${usage}*>~`;
type Line = [sku: string, quantity: number, price?: string];
/** An interchange of 850s; `no`: the interchange's control number. */
function po(no: number, orders: Record<string, Line[]>, purpose = '00', usage = 'P', phone: string | null = null): string {
  const control = String(no).padStart(9, '0');
  const sets = Object.entries(orders).map(([orderNo, lines], i) => {
    const st = String(i + 1).padStart(4, '0');
    const body = [`ST*850*${st}`, `BEG*${purpose}*SA*${orderNo}**20261122`, 'N1*ST*SHOP 7*92*S7', 'N3*1 EXAMPLE ROAD', 'N4*SHANGHAI*SHANGHAI*200000*CN', ...(phone === null ? [] : [`PER*RE*DESK*TE*${phone}`]), ...lines.map(([sku, n, price], k) => `PO1*${k + 1}*${n}*EA*${price ?? '10.00'}*PE*VN*${sku}`), `CTT*${lines.length}`];
    return [...body, `SE*${body.length + 1}*${st}`].map((s) => `${s}~`).join('');
  });
  return `${ISA(control, usage)}GS*PO*DEALER1*TRIBUTARY*20261123*0200*${no}*X*004010~${sets.join('')}GE*${sets.length}*${no}~IEA*1*${control}~`;
}
const segments = (text: string, tags: RegExp): string[] => text.split('~').filter((s) => tags.test(s));

describe('an order by X12', () => {
  let s: DealerScene;
  beforeAll(async () => { s = await DealerScene.open({ gs1Prefix: '6901234', carrierCodes: { sim: 'SIMU' } }); });
  afterAll(() => s.close());

  it('850 in → 997 and 855 out → shipped → 856 out, byte by byte', async () => {
    const sent = await s.post(po(101, { 'PO-1': [['SKU-1', 2], ['SKU-2', 1, '5.00']] }), X12, 'po.edi');
    expect([sent.status, sent.body.orders, sent.body.faults, sent.body.format]).toEqual([201, 1, 0, 'x12']);
    expect(sent.body.orderList).toEqual([{ line: 3, orderNo: 'PO-1', purpose: 'original', outcome: 'taken', order: null, state: 'waiting', reason: null, detail: null }]);
    expect(await s.written('997')).toEqual([
      'ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0200*U*00401*000000001*0*P*>~GS*FA*TRIBUTARY*DEALER1*20261123*0200*1*X*004010~ST*997*0001~AK1*PO*101~AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*0001~GE*1*1~IEA*1*000000001~']);
    await s.sync();
    const id = await s.order('PO-1');
    expect(await s.world.one('select type, payment_status, total_amount::int total, status from orders')).toEqual({ type: 'wholesale', payment_status: 'not_due', total: 2500, status: 'captured' });
    expect(await s.written('855')).toEqual([
      `ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0200*U*00401*000000002*0*P*>~GS*PR*TRIBUTARY*DEALER1*20261123*0200*2*X*004010~ST*855*0002~BAK*00*AD*PO-1*20261122****${id}*20261123~N1*ST**92*S7~`
      + 'PO1*1*2*EA*10.00*PE*VN*SKU-1~ACK*IA*2*EA~PO1*2*1*EA*5.00*PE*VN*SKU-2~ACK*IA*1*EA~CTT*2~SE*9*0002~GE*1*2~IEA*1*000000002~']);
    await s.ship('PO-1');
    await s.sync();
    const { id: shipment } = await s.world.one<{ id: string }>('select id from shipments');
    const { waybill_no } = await s.world.one<{ waybill_no: string }>('select waybill_no from parcels');
    expect(await s.written('856')).toEqual([
      `ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0200*U*00401*000000003*0*P*>~GS*SH*TRIBUTARY*DEALER1*20261123*0200*3*X*004010~ST*856*0003~BSN*00*${encodeId('shp', shipment)}*20261123*0200*0001~HL*1**S~TD1*CTN*1~TD5*B*2*SIMU~REF*CN*${waybill_no}~`
      + `DTM*011*20261123*0200~N1*ST**92*S7~HL*2*1*O~PRF*PO-1***20261122~HL*3*2*P~MAN*GM*069012340000000016~MAN*CP*${waybill_no}~HL*4*3*I~LIN*1*VN*SKU-1~SN1*1*2*EA**2~HL*5*3*I~LIN*2*VN*SKU-2~SN1*2*1*EA**1~CTT*5~SE*21*0003~GE*1*3~IEA*1*000000003~`]);
    await s.sync();
    expect(await s.controls()).toEqual([1, 2, 3]);
    expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  it('nothing personal lies outside the vault, and the document goes with the capture', async () => {
    expect(await s.world.one(`select count(*)::int n from vault_records where kind = 'dealer_order'`)).toEqual({ n: 0 });
    await s.post(po(102, { 'PO-HELD': [['NO-SUCH', 1]] }).replace('SHOP 7', 'WANG XIAOMING'), X12);
    await s.sync();
    expect(await s.world.one(`select count(*)::int n from vault_records where kind = 'dealer_order'`)).toEqual({ n: 1 });
    const { all } = await s.world.one<{ all: string }>(
      `select concat((select string_agg(x::text, '') from dealer_files x), (select string_agg(x::text, '') from dealer_orders x), (select string_agg(x::text, '') from dealer_file_faults x), (select string_agg(x::text, '') from dealer_interchanges x),
         (select string_agg(convert_from(body, 'utf8'), '') from dealer_documents), (select string_agg(x::text, '') from channel_orders x), (select string_agg(x::text, '') from channel_hints x)) "all"`);
    expect(all).toContain('PO-HELD');
    expect(all).not.toMatch(/XIAOMING|EXAMPLE ROAD/);
  });

  it('an unknown item holds its order with the reason; mapping it lets it go on, and then it is answered', async () => {
    const { items } = await s.ask<{ items: unknown[] }>('GET', `/v1/channels/${s.code}/held`);
    expect(items).toMatchObject([{ externalId: 'PO-HELD', reason: 'unmapped_sku', key: 'listing:NO-SUCH' }]);
    expect((await s.written('855')).length).toBe(1);
    expect(await s.ask('PUT', `/v1/channels/${s.code}/listings/NO-SUCH`, { components: [{ sku: 'SKU-3', quantity: 2 }] })).toMatchObject({ released: 1 });
    await s.sync();
    expect(segments((await s.written('855'))[1]!, /^(BAK|ACK)/).map((x) => x.replace(/ord_\w+/, 'ord'))).toEqual(['BAK*00*AD*PO-HELD*20261122****ord*20261123', 'ACK*IA*1*EA']);
    expect(await s.world.one(`select quantity, unit_price::int price from order_lines where sku_code = 'SKU-3'`)).toEqual({ quantity: 2, price: 500 });
  });

  it('a case is a listing of its own', async () => {
    await s.ask('PUT', `/v1/channels/${s.code}/listings/${encodeURIComponent('SKU-4/CA')}`, { components: [{ sku: 'SKU-4', quantity: 6 }] });
    await s.post(po(103, { 'PO-CASE': [['SKU-4', 2, '60.00']] }).replace('*2*EA*60.00', '*2*CA*60.00'), X12);
    await s.sync();
    await s.ship('PO-CASE');
    await s.sync();
    expect(segments((await s.written('855')).at(-1)!, /^ACK/)).toEqual(['ACK*IA*2*CA']);
    // Twelve units from two locations: a case counts with the parcel that completes it.
    expect((await s.written('856')).slice(1).flatMap((d) => segments(d, /^SN1/))).toEqual(['SN1*1*1*CA**2', 'SN1*1*1*CA**2']);
  });

  it('orders that are sent together: each is told of its own units in each parcel, and of nothing else', async () => {
    await s.post(po(140, { 'PO-M1': [['SKU-3', 12]], 'PO-M2': [['SKU-2', 1], ['SKU-2', 2]] }, '00', 'P', '10000000001'), X12);
    await s.sync();
    const ids = [await s.order('PO-M1'), await s.order('PO-M2')];
    const { results } = await s.ask<{ results: { ok: boolean; detail: string }[] }>('POST', '/v1/orders/actions', { action: 'merge', reason: 'one parcel', orderIds: ids });
    expect(results.map((r) => r.ok)).toEqual([true, true]);
    const before = (await s.written('856')).length;
    await s.shipOrder(results[0]!.detail);
    await s.sync();
    const told = (await s.written('856')).slice(before).map((d) => [/PRF\*(PO-M\d)/.exec(d)![1], segments(d, /^SN1/).join(' ')]).sort();
    // Both places send a parcel; which of them adds the second order's lines costs the same.
    expect(told.filter(([no]) => no === 'PO-M2').flatMap(([, sn1]) => sn1!.split(' ')).sort()).toEqual(['SN1*1*1*EA**1', 'SN1*2*2*EA**2']);
    expect(told.filter(([no]) => no === 'PO-M1').map(([, sn1]) => Number(sn1!.split('*')[2])).reduce((a, b) => a + b, 0)).toBe(12);
    expect(told.filter(([no]) => no === 'PO-M1').length).toBe(2);
  });

  it("what is not on hand is backordered, and the dealer's 997 of it is noted", async () => {
    await s.post(po(104, { 'PO-BACK': [['SKU-1', 40]] }), X12);
    await s.sync();
    const { n } = await s.world.one<{ n: number }>(`select sum(r.quantity)::int n from reservations r join orders o on o.id = r.order_id where o.external_id = 'PO-BACK'`);
    expect(n).toBeGreaterThan(0);
    const last = (await s.written('855')).at(-1)!;
    expect(segments(last, /^(BAK|ACK)/).map((x) => x.replace(/ord_\w+/, 'ord'))).toEqual(['BAK*00*AC*PO-BACK*20261122****ord*20261123', `ACK*IA*${n}*EA`, `ACK*IB*${40 - n}*EA`]);
    const group = /GS\*PR\*TRIBUTARY\*DEALER1\*\d+\*\d+\*(\d+)/.exec(last)![1]!;
    const receipt = `${ISA('000000105')}GS*FA*DEALER1*TRIBUTARY*20261123*0200*105*X*004010~ST*997*0001~AK1*PR*${group}~AK9*A*1*1*1~SE*4*0001~GE*1*105~IEA*1*000000105~`;
    const before = await s.count('dealer_documents');
    expect((await s.post(receipt, X12)).status).toBe(201);
    expect(await s.count('dealer_documents')).toBe(before);
    expect((await s.documents()).filter((d) => d.receipt !== null).map((d) => [d.orderNo, d.receipt])).toEqual([['PO-BACK', 'accepted']]);
  });

  it('is cancelled by 850 purpose 01 before it leaves, and not after', async () => {
    await s.post(po(106, { 'PO-C': [['SKU-2', 1]] }), X12);
    await s.sync();
    await s.post(po(107, { 'PO-C': [] }, '01'), X12);
    await s.sync();
    expect(await s.world.status(await s.order('PO-C'))).toBe('cancelled');
    expect(segments((await s.written('855')).at(-1)!, /^BAK/).map((x) => x.replace(/ord_\w+/, 'ord'))).toEqual(['BAK*01*AT*PO-C*20261122****ord*20261123']);
    await s.post(po(108, { 'PO-1': [] }, '01'), X12);
    await s.sync();
    expect(segments((await s.written('855')).at(-1)!, /^BAK/).map((x) => x.replace(/ord_\w+/, 'ord'))).toEqual(['BAK*01*RJ*PO-1*20261122****ord*20261123']);
    expect(await s.count('refund_requests')).toBe(0);
    expect(await s.world.status(await s.order('PO-1'))).not.toBe('cancelled');
    expect((await s.post(po(109, { 'PO-NONE': [] }, '01'), X12)).body.faultList).toMatchObject([{ orderNo: 'PO-NONE', detail: 'an order of this number is not known: nothing is to be cancelled' }]);
  });

  it('is told that we have ended what was agreed to, once', async () => {
    await s.post(po(130, { 'PO-END': [['SKU-4', 1]] }), X12);
    await s.sync();
    const before = (await s.written('855')).length;
    await s.ask('POST', `/v1/orders/${await s.order('PO-END')}/cancel`, { reason: 'no more of it' });
    await s.sync();
    await s.sync();
    const after = (await s.written('855')).slice(before);
    expect(after.map((d) => segments(d, /^(BAK|ACK)/).map((x) => x.replace(/ord_\w+/, 'ord')))).toEqual([['BAK*00*RD*PO-END*20261122****ord*20261123', 'ACK*IR*1*EA']]);
  });

  it('a test interchange is read and acknowledged, and makes no order', async () => {
    const before = [await s.count('orders'), await s.count('dealer_orders')];
    const sent = await s.post(po(110, { 'PO-T': [['SKU-1', 1]] }, '00', 'T'), X12);
    expect(sent.body).toMatchObject({ orderList: [{ orderNo: 'PO-T', outcome: 'test' }], documents: [{ kind: '997', test: true }] });
    await s.sync();
    expect([await s.count('orders'), await s.count('dealer_orders')]).toEqual(before);
  });

  it('the same bytes, control number or order number again change nothing; another content is refused', async () => {
    const text = po(120, { 'PO-D': [['SKU-2', 1]] });
    const first = await s.post(text, X12);
    await s.sync();
    const before = [await s.count('orders'), await s.count('dealer_documents'), await s.count('stock_movements')];
    const again = await s.post(text, X12);
    expect([again.status, again.body.id, again.body.repeatedNow, again.body.repeated]).toEqual([200, first.body.id, true, 1]);
    // Other bytes, the same interchange: known, and not answered again.
    expect((await s.post(`${text}\r\n`, X12)).body.orderList).toMatchObject([{ orderNo: 'PO-D', outcome: 'repeated' }]);
    await s.sync();
    expect([await s.count('orders'), await s.count('dealer_documents'), await s.count('stock_movements')]).toEqual(before);
    // The same control number for another content: refused by TA1.
    const other = await s.post(po(120, { 'PO-E': [['SKU-2', 1]] }), X12);
    expect(other.body).toMatchObject({ orders: 0, faultList: [{ field: 'control number' }], documents: [{ kind: 'TA1' }] });
    expect((await s.written('TA1')).at(-1)).toContain('~TA1*000000120*261123*0200*R*025~');
    // The same order number: by its content.
    expect((await s.post(po(121, { 'PO-D': [['SKU-2', 1]] }), X12)).body.orderList).toMatchObject([{ outcome: 'repeated' }]);
    expect((await s.post(po(122, { 'PO-D': [['SKU-2', 2]] }), X12)).body).toMatchObject({ orderList: [{ outcome: 'other_content' }], faultList: [{ orderNo: 'PO-D', field: 'orderNo' }] });
    await s.sync();
    expect(await s.count('orders')).toBe(before[0]);
  });

  it('control numbers have no gaps, whatever failed between', async () => {
    const numbers = await s.controls();
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    const sets = (await Promise.all((await s.documents()).map((d) => s.text(`/v1/dealer-documents/${d.id}`)))).flatMap((t) => /~ST\*\d+\*(\d+)/.exec(t)?.[1] ?? []).map(Number);
    expect(sets).toEqual(sets.map((_, i) => i + 1));
  });
});

describe('policies of the profile', () => {
  let s: DealerScene;
  beforeAll(async () => { s = await DealerScene.open({ unknownSku: 'reject', backorders: 'cut' }); });
  afterAll(() => s.close());

  it('unknown items are refused by line, missing units are cut, and 855 says so', async () => {
    await s.post(po(1, { 'PO-1': [['SKU-1', 35], ['NO-SUCH', 3], ['SKU-2', 1]], 'PO-2': [['NO-SUCH', 1]] }), X12);
    await s.sync();
    const [first, second] = (await s.written('855')).sort((a, b) => (a.includes('PO-1') ? -1 : b.includes('PO-1') ? 1 : 0));
    expect(segments(first!, /^(BAK|ACK)/).map((x) => x.replace(/ord_\w+/, 'ord'))).toEqual(['BAK*00*AC*PO-1*20261122****ord*20261123', 'ACK*IQ*30*EA', 'ACK*IR*3*EA', 'ACK*IA*1*EA']);
    expect(segments(second!, /^(BAK|ACK)/)).toEqual(['BAK*00*RD*PO-2*20261122*****20261123', 'ACK*IR*1*EA']);
    expect(await s.world.one(`select quantity, cancelled_quantity cancelled from order_lines where sku_code = 'SKU-1'`)).toEqual({ quantity: 35, cancelled: 5 });
    expect(await s.count('orders')).toBe(1);
    expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });
});

describe('an operator', () => {
  it('refuses a held order: the dealer is told once, and nothing is captured however it comes again', async () => {
    const s = await DealerScene.open();
    try {
      await s.post(po(1, { 'PO-1': [['NO-SUCH', 1]] }), X12);
      await s.sync();
      await s.ask('POST', `/v1/channels/${s.code}/dealer-orders/refuse`, { orderNo: 'PO-1', reason: 'we do not sell this' });
      await expect(s.ask('POST', `/v1/channels/${s.code}/dealer-orders/refuse`, { orderNo: 'PO-1', reason: 'again' })).rejects.toThrow('409');
      await s.ask('PUT', `/v1/channels/${s.code}/listings/NO-SUCH`, { components: [{ sku: 'SKU-3', quantity: 1 }] });
      await s.ask('POST', `/v1/channels/${s.code}/refresh`, { externalIds: ['PO-1'] });
      await s.sync();
      expect((await s.written('855')).map((d) => segments(d, /^BAK/))).toEqual([['BAK*00*RD*PO-1*20261122*****20261123']]);
      expect(await s.count('orders')).toBe(0);
      expect(await s.world.one(`select count(*)::int n from vault_records where kind = 'dealer_order'`)).toEqual({ n: 0 });
    } finally {
      await s.close();
    }
  });
});
