import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profileOf } from '../../../domain/dealer/profile.ts';
import type { EdifactRoute, OrderAnswer, ShipmentNotice } from '../../../domain/edi/answer.ts';
import { readEdifactFile } from '../../../domain/edi/edifact/file.ts';
import { edifactSegment, splitEdifact } from '../../../domain/edi/edifact/segments.ts';
import { writeDesadv, writeOrdrsp } from '../../../domain/edi/edifact/write.ts';
import { EdiFault } from '../../../domain/edi/fault.ts';

const published = (name: string): string => readFileSync(new URL(`published/${name}`, import.meta.url), 'utf8');
const PLACE = { name: 'Lager', phone: '', country: 'DE', province: 'Berlin', city: 'Berlin', street: 'Musterstr. 1' };
const eur = profileOf('EUR', { country: 'DE' }, { addressBook: JSON.stringify({ '0000000000004': PLACE, '4012345000094': PLACE }) });
const NUMBERS = { interchange: 7, group: 0, set: 9 };
const AT = Date.parse('2026-11-23T02:05:00Z');
const read = (text: string, profile = eur) => readEdifactFile(text, profile)[0]!;
const segments = (text: string): string[] => text.split(/(?<!\?)'/).filter((s) => s !== '').map((s) => s.trim());
const contrl = (text: string, profile = eur): string[] => segments(read(text, profile).answers[0]!.write(NUMBERS, AT));

describe('PUBLISHED documents', () => {
  it('ORDERS: header, place, every line', () => {
    const { order, sent } = read(published('orders.edi')).orders[0]!;
    expect({ ...order, lines: order.lines.map((l) => [l.lineNo, l.sku, l.quantity, l.unitPrice]) }).toEqual({
      orderNo: '1AA1TEST', purpose: 'original', orderedAt: Date.UTC(2014, 3, 7), shipBy: null, currency: 'EUR', shipTo: PLACE, shipToCode: '0000000000004', buyerName: null, remark: null, deliverBy: Date.UTC(2014, 3, 21, 23, 59, 59), notBefore: Date.UTC(2014, 3, 14),
      lines: [['1', '9783898307529', 5, 2750], ['2', '9783898307539', 1, 1087], ['3', '97838983938472', 3, 385]],
    });
    expect(sent.parties).toEqual({ BY: ['0000000000005', '', '9'], SU: ['0000000000002', '', '9'] });
  });

  it.each(['orders.edi', 'desadv.edi'])('%s: segments written anew are the same bytes', (name) => {
    const text = published(name);
    const [raw] = splitEdifact(text);
    const again = raw!.segments.map((s) => edifactSegment('UNOC', s.tag, ...s.elements));
    expect([...(raw!.separators.una === '' ? [] : [raw!.separators.una]), ...again].join('\n')).toBe(text.trimEnd());
  });

  it("CONTRL has the layout of Nordea's guideline: UCI, UCM with its position, UCS", () => {
    // UCI+131+333666999+NORDEASPECIAL?+TEST:ZZ+7'UCM+1+PAYMUL:D:96A:UN+4+13+UNH+2:4'UCS+17+16'
    expect(edifactSegment('UNOA', 'UCI', 131, ['333666999'], ['NORDEASPECIAL+TEST', 'ZZ'], 7)).toBe("UCI+131+333666999+NORDEASPECIAL?+TEST:ZZ+7'");
    expect(edifactSegment('UNOA', 'UCM', 1, ['PAYMUL', 'D', '96A', 'UN'], 4, 13, 'UNH', [2, 4])).toBe("UCM+1+PAYMUL:D:96A:UN+4+13+UNH+2:4'");
  });
});

const HEAD = "UNB+UNOC:3+4012345000009:14+5412345000013:14+261123:0200+55'";
const BODY = [
  "UNH+1+ORDERS:D:96A:UN:EAN008'", "BGM+220+PO?'7+9'", "DTM+137:20261122:102'", "NAD+BY+4012345000009::9'", "NAD+SU+5412345000013::9'", "NAD+DP+4012345000018::9++Markt Süd+Ringstraße:12+Köln++50667+DE'", "CTA+OC+:Einkauf'", "COM+?+49221123:TE'",
  "CUX+2:EUR:9'", "LIN+1++4000862141404:EN'", "PIA+1+SKU-1:SA'", "QTY+21:5:PCE'", "PRI+AAA:12.50'", "LIN+2++:'", "PIA+5+SKU-2:SA+B-2:IN'", "QTY+21:3:CT'", "PRI+AAA:2'", "UNS+S'", "CNT+2:2'", "UNT+20+1'",
];
const file = (body: readonly string[] = BODY, head = HEAD): string => `${head}${body.join('')}UNZ+1+55'`;
const swap = (from: string, to: string): string[] => BODY.map((s) => (s.startsWith(from) ? to : s));

describe('when it is wanted', () => {
  const dated = (head: readonly string[], atLine: readonly string[] = []) => {
    const body = BODY.flatMap((s) => (s.startsWith('DTM+137') ? [s, ...head.map((d) => `DTM+${d}'`)] : s.startsWith('QTY+21:5') ? [s, ...atLine.map((d) => `DTM+${d}'`)] : [s]));
    return read(file(body.map((s) => (s.startsWith('UNT') ? `UNT+${body.length}+1'` : s))));
  };
  const wanted = ({ orders: [o] }: ReturnType<typeof dated>) => o && [o.order.shipBy, o.order.deliverBy, o.order.notBefore];
  it('the latest delivery counts before the wished one, at its hour where it has one', () => {
    expect([
      wanted(dated(['2:20261210:102'])), wanted(dated(['63:20261212:102', '2:20261210:102'])), wanted(dated(['64:20261205:102', '63:202612121430:203', '10:20261208:102'])), wanted(dated([], ['2:20261210:102'])),
    ]).toEqual([
      [null, Date.UTC(2026, 11, 10, 23, 59, 59), undefined], [null, Date.UTC(2026, 11, 12, 23, 59, 59), undefined], [Date.UTC(2026, 11, 8, 23, 59, 59), Date.UTC(2026, 11, 12, 14, 30), Date.UTC(2026, 11, 5)],
      [null, Date.UTC(2026, 11, 10, 23, 59, 59), undefined],
    ]);
  });
  it('dates that differ from line to line, and an earliest after the latest, are refused', () => {
    const faults = (of: ReturnType<typeof dated>) => [of.orders, of.faults.map((f) => [f.field, f.detail])];
    expect(faults(dated(['2:20261210:102'], ['2:20261211:102']))).toEqual([[], [['deliverBy', 'the order has another date of this meaning: send an order for each date']]]);
    expect(faults(dated(['64:20261213:102', '63:20261212:102']))).toEqual([[], [['DTM', 'the order is wanted before it may be sent: the earliest date lies after the latest']]]);
  });
});

describe('what comes in', () => {
  it('is read with its releases undone and its address', () => {
    const { order } = read(file()).orders[0]!;
    expect(order).toMatchObject({
      orderNo: "PO'7", shipToCode: '4012345000018', shipTo: { name: 'Markt Süd', phone: '+49221123', country: 'DE', province: 'Köln', city: 'Köln', street: 'Ringstraße 12', postcode: '50667' },
      lines: [{ sku: 'SKU-1', merchantCode: 'SKU-1', quantity: 5, unitPrice: 1250 }, { sku: 'SKU-2/CT', quantity: 3, unitPrice: 200 }],
    });
    expect(read(file()).faults).toEqual([]);
  });

  it('is acknowledged by CONTRL, exactly', () => {
    expect(read(file()).answers[0]!.write(NUMBERS, AT)).toBe(
      "UNA:+.? 'UNB+UNOC:3+5412345000013:14+4012345000009:14+261123:0205+7'UNH+9+CONTRL:D:3:UN'UCI+55+4012345000009:14+5412345000013:14+7'UCM+1+ORDERS:D:96A:UN:EAN008+7'UNT+4+9'UNZ+1+7'");
  });

  it('reads its separators from UNA', () => {
    const una = file().replaceAll("?'", '#!').replaceAll("'", '!').replaceAll('?+', '#+').replaceAll('+', '|').replaceAll('#|', '+').replaceAll(':', ';').replaceAll('12.50', '12,50');
    const other = read(`UNA;|,# !\r\n${una.replaceAll('!', '!\r\n').replaceAll('#!\r\n', '#!').replace("PO#!7", "PO'7")}`);
    expect(other.orders[0]!.order).toEqual(read(file()).orders[0]!.order);
  });

  it('says per segment and element what is wrong, and refuses the message', () => {
    const bad = swap('QTY+21:5', "QTY+21:x:PCE'").map((s) => (s.startsWith('PRI+AAA:2') ? "DTM+2:20261340:102'" : s));
    expect(contrl(file(bad)).slice(3, -2)).toEqual(['UCI+55+4012345000009:14+5412345000013:14+7', 'UCM+1+ORDERS:D:96A:UN:EAN008+4', 'UCS+12', 'UCD+12+2:2', 'UCS+17', 'UCD+12+2:2', 'UCS+14+13']);
    expect(read(file(bad))).toMatchObject({ orders: [], faults: [{ line: 13, orderNo: "PO'7", field: 'quantity' }, { line: 18, field: 'DTM' }, { line: 15, field: 'unitPrice' }] });
  });

  it.each([
    ['UNT 0074', swap('UNT', "UNT+19+1'"), 'UCM+1+ORDERS:D:96A:UN:EAN008+4+29+UNT+2'], ['UNT 0062', swap('UNT', "UNT+20+2'"), 'UCM+1+ORDERS:D:96A:UN:EAN008+4+28+UNT+3'], ['no UNT', BODY.slice(0, -1), 'UCM+1+ORDERS:D:96A:UN:EAN008+4+13+UNT'],
    ['another message', swap('UNH', "UNH+1+INVOIC:D:96A:UN:EAN008'"), 'UCM+1+INVOIC:D:96A:UN:EAN008+4+12+UNH+3:1'], ['another release', swap('UNH', "UNH+1+ORDERS:D:01B:UN'"), 'UCM+1+ORDERS:D:01B:UN+4+12+UNH+3:3'],
  ])('counts and references: %s', (_name, body, ucm) => {
    expect(contrl(file(body))).toContain(ucm);
    expect(read(file(body))).toMatchObject({ orders: [] });
    expect(read(file(body)).faults.length).toBeGreaterThan(0);
  });

  it.each([
    ['UNZ 0020', file().replace("UNZ+1+55'", "UNZ+1+56'"), '4+28+UNZ+3'], ['UNZ 0036', file().replace("UNZ+1+55'", "UNZ+2+55'"), '4+29+UNZ+2'], ['breaks off', file().slice(0, -9), '4+13+UNZ'], ['unknown characters', file(BODY, HEAD.replace('UNOC', 'UNOX')), '4+2+UNB+2:1'],
    ['a group', file(BODY, `${HEAD}UNG+ORDERS+A+B+261123:0200+1+UN+D:96A'`), '4+15+UNG'],
  ])('an envelope that does not fit is refused whole: %s', (_name, text, end) => {
    expect(contrl(text)[3]).toBe(`UCI+55+4012345000009:14+5412345000013:14+${end}`);
    expect(read(text)).toMatchObject({ orders: [], faults: [{ line: 1 }] });
  });

  it('UNOA and UNOB hold no other letters', () => {
    expect(contrl(file(BODY, HEAD.replace('UNOC', 'UNOB')))).toEqual(expect.arrayContaining(['UCM+1+ORDERS:D:96A:UN:EAN008+4', 'UCS+6', 'UCD+21+5']));
  });

  it('strangers, tests, cancellations', () => {
    expect(contrl(file(), profileOf('EUR', { edi: { sender: '1:14' } }, {}))[3]).toContain('+4+23+UNB+3:1');
    const test = file(BODY, HEAD.replace("+55'", "+55++++++1'"));
    expect(read(test).test).toBe(true);
    expect(contrl(test)[1]).toBe('UNB+UNOC:3+5412345000013:14+4012345000009:14+261123:0205+7++++++1');
    expect(read(file([BODY[0]!, "BGM+220+PO1+1'", "UNS+S'", "UNT+4+1'"])).orders[0]!.order).toMatchObject({ orderNo: 'PO1', purpose: 'cancel' });
    expect(contrl(file(swap('BGM', "BGM+220+PO1+4'")))).toEqual(expect.arrayContaining(['UCS+2', 'UCD+12+4']));
  });

  it("reads the dealer's own CONTRL and does not answer it", () => {
    expect(read(`${HEAD}UNH+1+CONTRL:D:3:UN'UCI+7+5412345000013:14+4012345000009:14+7'UNT+3+1'UNZ+1+55'`)).toMatchObject({ answers: [], receipts: [{ standard: 'edifact', control: 7, verdict: 'accepted' }] });
  });

  it.each(['hello', "UNA:+'", "UNZ+1+5'"])('%s is no file', (text) => { expect(() => readEdifactFile(text, eur)).toThrow(EdiFault); });
});

describe('what goes out, DERIVED from the standard', () => {
  const { sent } = read(file()).orders[0]!;
  const route = sent.route as EdifactRoute;
  const answer = (l: [number, number][], more: Partial<OrderAnswer> = {}): OrderAnswer => ({ orderNo: "PO'7", ourNo: 'ord_1', purpose: 'original', at: AT, agreed: true, lines: l.map(([accepted, backordered], i) => ({ lineNo: String(i + 1), accepted, backordered })), ...more });

  it('ORDRSP, exactly', () => {
    expect(writeOrdrsp(sent, route, answer([[5, 0], [1, 2]]), NUMBERS)).toBe(
      "UNA:+.? 'UNB+UNOC:3+5412345000013:14+4012345000009:14+261123:0205+7'UNH+9+ORDRSP:D:96A:UN:EAN005'BGM+231+ord_1+4'DTM+137:20261123:102'RFF+ON:PO?'7'DTM+171:20261122:102'NAD+BY+4012345000009::9'NAD+SU+5412345000013::9'NAD+DP+4012345000018::9'"
      + "LIN+1+5+4000862141404:EN'PIA+1+SKU-1:SA'QTY+21:5:PCE'QTY+113:5:PCE'LIN+2+3'PIA+1+SKU-2:SA+B-2:IN'QTY+21:3:CT'QTY+113:1:CT'QTY+83:2:CT'UNS+S'CNT+2:2'UNT+20+9'UNZ+1+7'");
  });

  it('ORDRSP: as sent, refused, cancelled', () => {
    const bgm = (a: OrderAnswer): string => segments(writeOrdrsp(sent, route, a, NUMBERS))[3]!;
    expect(bgm(answer([[5, 0], [3, 0]]))).toBe('BGM+231+ord_1+29');
    expect(bgm(answer([], { agreed: false, ourNo: null }))).toBe('BGM+231+7+27');
    expect(bgm(answer([], { purpose: 'cancel' }))).toBe('BGM+231+ord_1+1');
    expect(bgm(answer([], { purpose: 'cancel', agreed: false }))).toBe('BGM+231+ord_1+27');
  });

  it('DESADV, exactly', () => {
    const notice: ShipmentNotice = {
      orderNo: "PO'7", shipmentNo: 'shp_1', shippedAt: Date.parse('2026-11-24T08:30:00Z'), at: AT,
      parcels: [{ carrier: 'sim', waybillNo: 'WB+1', sscc: '354107380000001051', lines: [{ lineNo: '1', quantity: 5 }] }, { carrier: 'sim', waybillNo: 'WB2', sscc: null, lines: [{ lineNo: '2', quantity: 3 }] }],
    };
    expect(segments(writeDesadv(sent, route, notice, () => ({ code: 'DHL' }), NUMBERS)).slice(2)).toEqual([
      'UNH+9+DESADV:D:96A:UN:EAN005', 'BGM+351+shp_1+9', 'DTM+137:20261123:102', 'DTM+11:202611240830:203', "RFF+ON:PO?'7", 'DTM+171:20261122:102', 'NAD+BY+4012345000009::9', 'NAD+SU+5412345000013::9', 'NAD+DP+4012345000018::9', 'TDT+20++30++DHL',
      'CPS+1', 'PAC+2++CT', 'CPS+2+1', 'PAC+1++CT', 'PCI+33E', 'RFF+CN:WB?+1', 'GIN+BJ+354107380000001051', 'LIN+1++4000862141404:EN', 'PIA+1+SKU-1:SA', 'QTY+12:5:PCE', "RFF+ON:PO?'7:1", 'CPS+3+1', 'PAC+1++CT', 'PCI+33E', 'RFF+CN:WB2',
      'LIN+2', 'PIA+1+SKU-2:SA+B-2:IN', 'QTY+12:3:CT', "RFF+ON:PO?'7:2", 'CNT+2:2', 'UNT+31+9', 'UNZ+1+7',
    ]);
  });

  it('any text comes back as it was, by whatever separators stand in it', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.string({ unit: fc.constantFrom('a', 'B', '1', '?', '+', ':', "'", ' ', 'é', '.') , minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }), (elements) => {
      const [raw] = splitEdifact(`UNB+UNOC:3'${edifactSegment('UNOC', 'FTX', ...elements)}`);
      expect(raw!.segments[1]!.elements).toEqual(elements);
    }));
  });
});
