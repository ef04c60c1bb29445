import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { profileOf } from '../../../domain/dealer/profile.ts';
import type { OrderAnswer, Sent, ShipmentNotice, X12Route } from '../../../domain/edi/answer.ts';
import { sscc } from '../../../domain/edi/answer.ts';
import { EdiFault } from '../../../domain/edi/fault.ts';
import { readX12File } from '../../../domain/edi/x12/file.ts';
import { splitX12, x12Segment } from '../../../domain/edi/x12/segments.ts';
import { write855, write856 } from '../../../domain/edi/x12/write.ts';

const published = (name: string): string => readFileSync(new URL(`published/${name}`, import.meta.url), 'utf8');
const usd = profileOf('USD', { country: 'US' }, {});
const NUMBERS = { interchange: 7, group: 8, set: 9 };
const AT = Date.parse('2026-11-23T02:05:00Z');
const read = (text: string, profile = usd) => {
  const [first] = readX12File(text, profile);
  return first!;
};
const lines = (text: string): string[] => text.split('~').filter((s) => s !== '');
const ack = (text: string, profile = usd): string[] => lines(read(text, profile).answers[0]!.write(NUMBERS, AT));

describe('PUBLISHED documents', () => {
  it('850: header, receiver, every line', () => {
    const [o] = read(published('850.edi')).orders;
    const order = o!.order;
    expect(o!.at).toBe(3);
    expect({ ...order, lines: order.lines.map((l) => [l.lineNo, l.sku, l.quantity, l.unitPrice, l.title]) }).toEqual({
      orderNo: '08292233294', purpose: 'original', orderedAt: Date.UTC(2010, 10, 27), shipBy: null, currency: 'USD', shipToCode: '0003947268292', buyerName: null, remark: null, deliverBy: Date.UTC(2010, 11, 14, 23, 59, 59),
      shipTo: { name: 'XYZ RETAIL', phone: '', country: 'US', province: 'OH', city: 'SOLON', street: '31875 SOLON RD', postcode: '44139' },
      lines: [
        ['1', 'AB3542', 120, 925, 'SMALL WIDGET'], ['2', 'RD5322', 220, 1379, 'MEDIUM WIDGET'], ['3', 'XY5266', 126, 1099, 'LARGE WIDGET'], ['4', 'VX2332', 76, 435, 'NANO WIDGET'], ['5', 'RV0524', 72, 750, 'BLUE WIDGET'], ['6', 'DX1875', 696, 955, 'ORANGE WIDGET'],
      ],
    });
    expect(order.lines[0]!.ids).toEqual([{ qualifier: 'CB', id: '065322-117' }, { qualifier: 'PR', id: 'RO' }, { qualifier: 'VN', id: 'AB3542' }]);
  });

  it('850: the amount it says itself (AMT01 = 1) is what its lines come to', () => {
    const { lines: own } = read(published('850.edi')).orders[0]!.order;
    expect(own.reduce((sum, l) => sum + l.quantity * (l.unitPrice ?? 0), 0)).toBe(1_304_594);
  });

  it('850 with line ends for terminators is the same order', () => {
    const plain = published('850.edi').replaceAll('~\n', '\n').replace(/~$/, '\n');
    expect(read(plain).orders[0]!.order).toEqual(read(published('850.edi')).orders[0]!.order);
    expect(read(plain.replaceAll('\n', '\r\n')).orders[0]!.order).toEqual(read(published('850.edi')).orders[0]!.order);
  });

  it.each(['850.edi', '855.edi', '856.edi'])('%s: segments written anew are the same bytes', (name) => {
    const text = published(name);
    const [raw] = splitX12(text);
    const { separators: s } = raw!;
    const [isa, ...rest] = raw!.segments;
    const again = [[isa!.tag, ...isa!.elements].join(s.element) + s.segment, ...rest.map((x) => x12Segment(s, x.tag, ...x.elements))];
    expect(again.join('\n')).toBe(text.trimEnd());
  });
});

const ISA = 'ISA*00*          *00*          *ZZ*DEALER1        *ZZ*TRIBUTARY      *261123*0200*U*00401*000000101*0*P*>~';
const GS = 'GS*PO*DEALER1*TRIBUTARY*20261123*0200*55*X*004010~';
const BODY = ['ST*850*0001~', 'BEG*00*SA*PO-1**20261122~', 'N1*ST*SHOP 7*92*S7~', 'N3*1 MAIN ST~', 'N4*DENVER*CO*80202*US~', 'PO1*1*5*EA*12.50*PE*VN*SKU-1*UP*036000291452~', 'PO1*2*3*CA*2*PE*VN*SKU-2~', 'CTT*2~', 'SE*9*0001~'];
const file = (body: readonly string[] = BODY, isa = ISA, gs = GS): string => `${isa}${gs}${body.join('')}GE*1*55~IEA*1*000000101~`;
const swap = (from: string, to: string): string[] => BODY.map((s) => (s.startsWith(from) ? to : s));

describe('when it is wanted', () => {
  const dated = (...dates: string[]) => read(file([...BODY.slice(0, 2), ...dates.map((d) => `DTM*${d}~`), ...BODY.slice(2, -1), `SE*${BODY.length + dates.length}*0001~`]));
  const day = (d: number, end = true): number => Date.UTC(2026, 11, d, ...(end ? [23, 59, 59] as const : []));
  it.each([
    [['002*20261210'], { shipBy: null, deliverBy: day(10) }], [['063*20261212', '002*20261210'], { shipBy: null, deliverBy: day(12) }], [['010*20261201', '064*20261205', '002*20261210'], null],
    [['064*20261205', '002*20261210'], { shipBy: null, deliverBy: day(10), notBefore: day(5, false) }], [['037*20261201', '038*20261203', '010*20261202'], { shipBy: day(3), notBefore: day(1, false) }],
    [['002*20261210', '002*20261210'], { shipBy: null, deliverBy: day(10) }],
  ])('%j', (dates, wanted) => {
    const { orders, faults } = dated(...dates);
    const order = orders[0]?.order;
    expect(order ? { shipBy: order.shipBy, ...('deliverBy' in order ? { deliverBy: order.deliverBy } : {}), ...('notBefore' in order ? { notBefore: order.notBefore } : {}) } : null).toEqual(wanted);
    expect(faults.map((f) => f.detail)).toEqual(wanted ? [] : ['the order is wanted before it may be sent: the earliest date lies after the latest']);
  });

  it('several dates of one meaning, and a schedule, are refused by name', () => {
    const two = dated('002*20261210', '002*20261211');
    expect([two.orders, two.faults.map((f) => [f.field, f.detail])]).toEqual([[], [['DTM02 deliverBy', 'the order has another date of this meaning: send an order for each date']]]);
    const scheduled = [...BODY.slice(0, 6), 'SCH*5*EA***002*20261210~', ...BODY.slice(6, -1), `SE*${BODY.length + 1}*0001~`];
    expect([read(file(scheduled)).orders, read(file(scheduled)).faults.map((f) => [f.field, f.detail])]).toEqual([[], [['SCH', 'SCH (a schedule of deliveries) is not taken: send an order for each date']]]);
    expect(ack(file(scheduled)).filter((s) => /^AK[35]/.test(s))).toEqual(['AK3*SCH*7*PO1*2', 'AK5*R*5']);
  });
});

describe('what comes in', () => {
  it('is acknowledged by a 997, exactly', () => {
    expect(read(file()).answers[0]!.write(NUMBERS, AT)).toBe(
      'ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0205*U*00401*000000007*0*P*>~GS*FA*TRIBUTARY*DEALER1*20261123*0205*8*X*004010~ST*997*0009~AK1*PO*55~AK2*850*0001~AK5*A~AK9*A*1*1*1~SE*6*0009~GE*1*8~IEA*1*000000007~');
    expect(read(file()).faults).toEqual([]);
  });

  it('reads its separators from ISA, and answers with them', () => {
    const other = file().replaceAll('*', '|').replaceAll('~', '\u001d').replace('|U|00401|', '|^|00501|');
    expect(read(other).orders[0]!.order).toEqual(read(file()).orders[0]!.order);
    expect(read(other).answers[0]!.write(NUMBERS, AT)).toContain('|^|00501|000000007|0|P|>\u001dGS|FA|');
  });

  it('a unit that is not the base one is a listing of its own', () => {
    expect(read(file()).orders[0]!.order.lines.map((l) => [l.sku, l.merchantCode])).toEqual([['SKU-1', 'SKU-1'], ['SKU-2/CA', 'SKU-2']]);
  });

  it('says per segment and element what is wrong, refuses the set, and quotes no address', () => {
    const bad = [...BODY.slice(0, 5), 'PO1*1*5.5*EA*12.505*PE*VN*1.23E+17~', 'PO1*1*3*EA**HP~', 'CTT*3~', 'SE*9*0001~'];
    const r = read(file(bad));
    expect(r.orders).toEqual([]);
    expect(ack(file(bad)).slice(3, -3)).toEqual([
      'AK1*PO*55', 'AK2*850*0001', 'AK3*PO1*6*PO1*8', 'AK4*2*330*7*5.5', 'AK3*PO1*6*PO1*8', 'AK4*4*212*7*12.505', 'AK3*PO1*6*PO1*8', 'AK4*7*234*6*1.23E+17', 'AK3*PO1*7*PO1*8', 'AK4*4*212*1', 'AK3*PO1*7*PO1*8', 'AK4*5*639*7*HP',
      'AK3*PO1*7*PO1*8', 'AK4*7*234*1', 'AK3*CTT*8*CTT*8', 'AK4*1*354*7*3', 'AK3*PO1*9**8', 'AK5*R*5', 'AK9*R*1*1*0',
    ]);
    expect(r.faults[0]).toEqual({ line: 8, orderNo: 'PO-1', field: 'PO102 quantity', detail: '"5.5" is no quantity: a whole number from 1 to 1000000, without grouping marks' });
    const noPlace = read(file(swap('N4', 'N4~')));
    expect(JSON.stringify(noPlace.faults)).not.toContain('MAIN ST');
    expect(noPlace.faults[0]!.detail).toBe('ship-to "S7" is not in the profile\'s address book, and the set has no N3 and N4 for it');
  });

  it('takes a place from the address book', () => {
    const book = profileOf('USD', {}, { addressBook: JSON.stringify({ S7: { name: 'Shop 7', phone: '1', country: 'US', province: 'CO', city: 'Denver', street: '1 Main' } }) });
    expect(read(file([...BODY.slice(0, 3), ...BODY.slice(5, 8), 'SE*7*0001~']), book).orders[0]!.order.shipTo).toMatchObject({ street: '1 Main' });
  });

  it.each([
    ['SE01', swap('SE', 'SE*8*0001~'), 'AK5*R*4', 'transaction set 0001 has another number of segments than SE01 says'],
    ['SE02', swap('SE', 'SE*9*0002~'), 'AK5*R*3', 'transaction set 0001 has another control number in SE than in ST'],
    ['no SE', BODY.slice(0, -1), 'AK5*R*2', 'transaction set 0001 has no SE'],
    ['another set', swap('ST', 'ST*875*0001~'), 'AK5*R*1', 'transaction set 0001 is none that is taken here (850)'],
  ])('counts: %s', (_name, body, ak5, detail) => {
    expect(ack(file(body))).toContain(ak5);
    expect(read(file(body))).toMatchObject({ orders: [], faults: [{ detail }] });
  });

  it('good sets of a group go on beside a bad one', () => {
    const second = BODY.map((s) => s.replace('0001', '0002').replace('PO-1', 'PO-2').replace('*5*EA', '*0*EA'));
    const both = `${ISA}${GS}${BODY.join('')}${second.join('')}GE*2*55~IEA*1*000000101~`;
    expect(read(both).orders.map((o) => o.order.orderNo)).toEqual(['PO-1']);
    expect(ack(both)).toEqual(expect.arrayContaining(['AK5*A', 'AK5*R*5', 'AK9*P*2*2*1']));
  });

  it.each([
    ['IEA02', file().replace('IEA*1*000000101', 'IEA*1*000000102'), '001'], ['IEA01', file().replace('IEA*1*', 'IEA*2*'), '021'], ['breaks off', file().slice(0, -20), '023'], ['a segment outside', file().replace('GS*', 'REF*XX*1~GS*'), '022'],
  ])('an envelope that does not fit is refused whole: %s', (_name, text, note) => {
    expect(read(text)).toMatchObject({ orders: [], faults: [{ field: 'ISA' }], answers: [{ kind: 'TA1' }] });
    expect(read(text).answers[0]!.write(NUMBERS, AT)).toBe(
      `ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0205*U*00401*000000007*0*P*>~TA1*000000101*261123*0200*R*${note}~IEA*0*000000007~`);
  });

  it('GE01, GE02, and a group of something else', () => {
    expect(ack(file().replace('GE*1*55', 'GE*2*55'))).toContain('AK9*R*2*1*0*5');
    expect(ack(file().replace('GE*1*55', 'GE*1*56'))).toContain('AK9*R*1*1*0*4');
    expect(ack(file().replace('GS*PO*', 'GS*IN*'))).toContain('AK9*R*1*1*0*1');
  });

  it('a stranger is refused', () => {
    expect(ack(file(), profileOf('USD', { edi: { sender: 'ZZ:OTHER' } }, {}))).toContain('TA1*000000101*261123*0200*R*006');
    expect(ack(file(), profileOf('USD', { edi: { sender: 'ZZ:DEALER1', receiver: 'ZZ:NOT-US' } }, {}))).toContain('TA1*000000101*261123*0200*R*008');
  });

  it('test interchanges say so, and so do their answers', () => {
    const test = file(BODY, ISA.replace('*P*', '*T*'));
    expect(read(test).test).toBe(true);
    expect(ack(test)[0]).toBe('ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0205*U*00401*000000007*0*T*>');
  });

  it('a cancellation needs no lines; a change is refused with the reason', () => {
    expect(read(file(['ST*850*0001~', 'BEG*01*SA*PO-1**20261122~', 'SE*3*0001~'])).orders[0]!.order).toMatchObject({ orderNo: 'PO-1', purpose: 'cancel', lines: [] });
    expect(ack(file(swap('BEG', 'BEG*04*SA*PO-1**20261122~')))).toContain('AK4*1*353*7*04');
  });

  it("reads the dealer's own 997 and does not answer it", () => {
    const r = read(`${ISA}GS*FA*DEALER1*TRIBUTARY*20261123*0200*55*X*004010~ST*997*0001~AK1*PR*8~AK9*A*1*1*1~SE*4*0001~GE*1*55~IEA*1*000000101~`);
    expect(r).toMatchObject({ answers: [], faults: [], receipts: [{ standard: 'x12', control: 8, verdict: 'accepted' }] });
  });

  it.each([['no envelope', 'BEG*00~', 1], ['ISA too short', 'ISA*00*~', 1], ['ISA of other widths', ISA.replace('DEALER1  ', 'DEALER1 ') + GS.padEnd(40), 1], ['rubbish after it', `${file()}\nhello`, 14]])('%s is no file', (_name, text, at) => {
    let fault: unknown;
    try { readX12File(text, usd); } catch (error) { fault = error; }
    expect(fault).toBeInstanceOf(EdiFault);
    expect((fault as EdiFault).at).toBe(at);
  });

  it('several interchanges of a file are read each by itself', () => {
    const other = file().replaceAll('*', '|').replace('000000101', '000000102').replace('IEA|1|000000101', 'IEA|1|000000102').replace('PO-1', 'PO-9');
    expect(readX12File(`${file()}\r\n${other}`, usd).map((i) => [i.control, i.orders[0]?.order.orderNo])).toEqual([['000000101', 'PO-1'], ['000000102', 'PO-9']]);
  });
});

describe('what goes out, DERIVED from the standard', () => {
  const { sent } = read(file()).orders[0]!;
  const route = sent.route as X12Route;
  const answer = (l: [number, number][], more: Partial<OrderAnswer> = {}): OrderAnswer => ({ orderNo: 'PO-1', ourNo: 'ord_1', purpose: 'original', at: AT, agreed: true, lines: l.map(([accepted, backordered], i) => ({ lineNo: String(i + 1), accepted, backordered })), ...more });
  const inner = (s: Sent, a: OrderAnswer): string[] => lines(write855(s, route, a, NUMBERS)).slice(3, -3);

  it('855, exactly', () => {
    expect(write855(sent, route, answer([[5, 0], [3, 0]]), NUMBERS)).toBe(
      'ISA*00*          *00*          *ZZ*TRIBUTARY      *ZZ*DEALER1        *261123*0205*U*00401*000000007*0*P*>~GS*PR*TRIBUTARY*DEALER1*20261123*0205*8*X*004010~ST*855*0009~'
      + 'BAK*00*AD*PO-1*20261122****ord_1*20261123~N1*ST**92*S7~PO1*1*5*EA*12.50*PE*VN*SKU-1*UP*036000291452~ACK*IA*5*EA~PO1*2*3*CA*2*PE*VN*SKU-2~ACK*IA*3*CA~CTT*2~SE*9*0009~GE*1*8~IEA*1*000000007~');
  });

  it('855 per line: backordered, changed, refused', () => {
    expect(inner(sent, answer([[2, 3], [0, 3]]))).toEqual(['BAK*00*AC*PO-1*20261122****ord_1*20261123', 'N1*ST**92*S7', 'PO1*1*5*EA*12.50*PE*VN*SKU-1*UP*036000291452', 'ACK*IA*2*EA', 'ACK*IB*3*EA', 'PO1*2*3*CA*2*PE*VN*SKU-2', 'ACK*IB*3*CA', 'CTT*2']);
    expect(inner(sent, answer([[4, 0], [0, 0]])).filter((s) => s.startsWith('ACK'))).toEqual(['ACK*IQ*4*EA', 'ACK*IR*3*CA']);
    expect(inner(sent, answer([], { agreed: false, ourNo: null }))).toEqual(['BAK*00*RD*PO-1*20261122*****20261123', 'N1*ST**92*S7', 'PO1*1*5*EA*12.50*PE*VN*SKU-1*UP*036000291452', 'ACK*IR*5*EA', 'PO1*2*3*CA*2*PE*VN*SKU-2', 'ACK*IR*3*CA', 'CTT*2']);
  });

  it('855 of a cancellation', () => {
    expect(inner(sent, answer([], { purpose: 'cancel' }))).toEqual(['BAK*01*AT*PO-1*20261122****ord_1*20261123']);
    expect(inner(sent, answer([], { purpose: 'cancel', agreed: false }))).toEqual(['BAK*01*RJ*PO-1*20261122****ord_1*20261123']);
  });

  it('856: shipment, order, packs with SSCC and waybill, items, exactly', () => {
    const notice: ShipmentNotice = {
      orderNo: 'PO-1', shipmentNo: 'shp_1', shippedAt: Date.parse('2026-11-24T08:30:00Z'), at: AT,
      parcels: [{ carrier: 'sim', waybillNo: 'WB1', sscc: sscc('0614141', 1), lines: [{ lineNo: '1', quantity: 5 }] }, { carrier: 'sim', waybillNo: 'WB2', sscc: null, lines: [{ lineNo: '2', quantity: 3 }] }],
    };
    expect(lines(write856(sent, route, notice, () => ({ code: 'SIMU', scac: true }), NUMBERS)).slice(1)).toEqual([
      'GS*SH*TRIBUTARY*DEALER1*20261123*0205*8*X*004010', 'ST*856*0009', 'BSN*00*shp_1*20261123*0205*0001', 'HL*1**S', 'TD1*CTN*2', 'TD5*B*2*SIMU', 'REF*CN*WB1', 'REF*CN*WB2', 'DTM*011*20261124*0830', 'N1*ST**92*S7', 'HL*2*1*O',
      'PRF*PO-1***20261122', 'HL*3*2*P', 'MAN*GM*006141410000000012', 'MAN*CP*WB1', 'HL*4*3*I', 'LIN*1*VN*SKU-1*UP*036000291452', 'SN1*1*5*EA**5', 'HL*5*2*P', 'MAN*CP*WB2', 'HL*6*5*I', 'LIN*2*VN*SKU-2', 'SN1*2*3*CA**3', 'CTT*6', 'SE*24*0009', 'GE*1*8', 'IEA*1*000000007',
    ]);
  });

  it('what X12 cannot hold becomes a space', () => {
    expect(x12Segment(route, 'MSG', 'a*b~c>d\ne')).toBe('MSG*a b c d e~');
  });
});

describe('SSCC', () => {
  it('PUBLISHED: the check digits of EANCOM\'s example', () => {
    for (const n of ['354107380000001051', '354107380000001068']) {
      const serial = Number(n[0]! + n.slice(8, 17));
      expect(sscc(n.slice(1, 8), serial)).toBe(n);
    }
  });
});
