import { stamp, verdictOf, type EdifactRoute, type Numbers, type OrderAnswer, type Sent, type SentLine, type ShipmentNotice } from '../answer.ts';
import type { EdifactInterchange, EdifactMessage, SyntaxFault } from './interchange.ts';
import type { MessageFault } from './orders.ts';
import { edifactSegment } from './segments.ts';

type Part = string | number | readonly (string | number)[];

export function routeOf(i: EdifactInterchange, association: string): EdifactRoute {
  return { standard: 'edifact', una: i.separators.una, syntax: i.syntax, syntaxVersion: i.syntaxVersion, test: i.test, from: i.from, to: i.to, association };
}

const UNA = "UNA:+.? '";
/** One message in an interchange of its own, from us to the dealer, by the default separators. `segments`: what stands between UNH and UNT. */
function oneMessage(r: EdifactRoute, n: Numbers, at: number, message: Part, segments: readonly string[]): string {
  const { date, time } = stamp(at);
  const s = (tag: string, ...elements: Part[]): string => edifactSegment(r.syntax, tag, ...elements);
  const unb = s('UNB', [r.syntax, r.syntaxVersion], r.to, r.from, [date.slice(2), time], n.interchange, '', '', '', '', '', r.test ? 1 : '');
  return UNA + unb + s('UNH', n.set, message) + segments.join('') + s('UNT', segments.length + 2, n.set) + s('UNZ', 1, n.interchange);
}

export type MessageOutcome = { message: EdifactMessage; fault: SyntaxFault | null; faults: readonly MessageFault[] };
const at011 = (f: { element: number | null; component: number | null }): Part => (f.element === null ? '' : f.component === null ? f.element : [f.element, f.component]);

/** Syntax and service report (CONTRL, ISO 9735 version 3): UCI of the interchange; UCM for each message (7 acknowledged, 4 refused), UCS and UCD for what is wrong in it. */
export function writeContrl(i: EdifactInterchange, outcomes: readonly MessageOutcome[], fault: SyntaxFault | null, n: Numbers, at: number): string {
  const r = routeOf(i, '');
  const s = (tag: string, ...elements: Part[]): string => edifactSegment(r.syntax, tag, ...elements);
  const out = [fault ? s('UCI', i.control, i.from, i.to, 4, fault.code, fault.tag, at011(fault)) : s('UCI', i.control, i.from, i.to, 7)];
  for (const { message: m, fault: own, faults } of fault ? [] : outcomes) {
    const id = [m.type, m.version, m.release, m.agency, m.association];
    out.push(own ? s('UCM', m.reference, id, 4, own.code, own.tag, at011(own)) : s('UCM', m.reference, id, faults.length > 0 ? 4 : 7));
    for (const [k, f] of faults.entries()) {
      if (faults[k - 1]?.position !== f.position) out.push(s('UCS', f.position, f.element === null ? f.code : ''));
      if (f.element !== null) out.push(s('UCD', f.code, at011(f)));
    }
  }
  return oneMessage(r, n, at, ['CONTRL', 'D', 3, 'UN'], out);
}

/** GTIN first (LIN), the other numbers after it (PIA+1). */
function item(s: (tag: string, ...elements: Part[]) => string, line: SentLine | undefined, lineNo: string, action: string): string[] {
  const ids = line?.ids ?? [];
  const gtin = ids.find((i) => ['EN', 'SRV', 'UP', 'UK'].includes(i.qualifier));
  const others = ids.filter((i) => i !== gtin).slice(0, 5);
  return [s('LIN', lineNo, action, gtin ? [gtin.id, gtin.qualifier] : ''), ...(others.length > 0 ? [s('PIA', 1, ...others.map((i) => [i.id, i.qualifier]))] : [])];
}

const parties = (s: (tag: string, ...elements: Part[]) => string, sent: Sent): string[] => [
  ...['BY', 'SU'].flatMap((code) => (sent.parties[code] ? [s('NAD', code, sent.parties[code])] : [])),
  ...(sent.shipToCode === null ? [] : [s('NAD', 'DP', [sent.shipToCode, '', sent.shipToAgency])]),
];

/** Order response (ORDRSP D.96A). BGM: 29 as it was sent, 4 with changes, 27 refused. LIN: 5 as sent, 3 changed, 7 refused; QTY+21 ordered, QTY+113 to be delivered, QTY+83 backordered. */
export function writeOrdrsp(sent: Sent, r: EdifactRoute, answer: OrderAnswer, n: Numbers): string {
  const s = (tag: string, ...elements: Part[]): string => edifactSegment(r.syntax, tag, ...elements);
  const { date } = stamp(answer.at);
  const verdict = verdictOf(answer, sent);
  const out = [
    s('BGM', 231, answer.ourNo ?? n.interchange, answer.purpose === 'cancel' && verdict === 'accepted' ? 1 : { accepted: 29, changed: 4, rejected: 27 }[verdict]), s('DTM', [137, date, 102]), s('RFF', ['ON', answer.orderNo]),
    ...(sent.orderDate === '' ? [] : [s('DTM', [171, sent.orderDate, 102])]), ...parties(s, sent),
  ];
  if (answer.purpose === 'original') {
    for (const line of sent.lines) {
      const { accepted = 0, backordered = 0 } = answer.lines.find((l) => l.lineNo === line.lineNo) ?? {};
      out.push(...item(s, line, line.lineNo, accepted + backordered === 0 ? '7' : accepted === line.quantity ? '5' : '3'), s('QTY', [21, line.quantity, line.unit]), s('QTY', [113, accepted, line.unit]));
      if (backordered > 0) out.push(s('QTY', [83, backordered, line.unit]));
    }
  }
  out.push(s('UNS', 'S'), s('CNT', [2, answer.purpose === 'original' ? sent.lines.length : 0]));
  return oneMessage(r, n, answer.at, ['ORDRSP', 'D', '96A', 'UN', 'EAN005'], out);
}

/** Despatch advice (DESADV D.96A): CPS 1 the shipment, then a CPS for each parcel with its SSCC (PCI+33E, GIN+BJ) and waybill (RFF+CN), lines with QTY+12 and the order's line (RFF+ON). */
export function writeDesadv(sent: Sent, r: EdifactRoute, notice: ShipmentNotice, carrierOf: (code: string) => { code: string }, n: Numbers): string {
  const s = (tag: string, ...elements: Part[]): string => edifactSegment(r.syntax, tag, ...elements);
  const now = stamp(notice.at);
  const shipped = stamp(notice.shippedAt);
  const out = [
    s('BGM', 351, notice.shipmentNo, 9), s('DTM', [137, now.date, 102]), s('DTM', [11, `${shipped.date}${shipped.time}`, 203]), s('RFF', ['ON', notice.orderNo]),
    ...(sent.orderDate === '' ? [] : [s('DTM', [171, sent.orderDate, 102])]), ...parties(s, sent),
    ...[...new Set(notice.parcels.map((p) => p.carrier))].map((c) => s('TDT', 20, '', 30, '', carrierOf(c).code)), s('CPS', 1), s('PAC', notice.parcels.length, '', 'CT'),
  ];
  let lines = 0;
  for (const [i, p] of notice.parcels.entries()) {
    out.push(s('CPS', i + 2, 1), s('PAC', 1, '', 'CT'), s('PCI', '33E'), s('RFF', ['CN', p.waybillNo]));
    if (p.sscc !== null) out.push(s('GIN', 'BJ', p.sscc));
    for (const l of p.lines) {
      lines += 1;
      const line = sent.lines.find((x) => x.lineNo === l.lineNo);
      out.push(...item(s, line, String(lines), ''), s('QTY', [12, l.quantity, line?.unit ?? '']), s('RFF', ['ON', notice.orderNo, l.lineNo]));
    }
  }
  out.push(s('CNT', [2, lines]));
  return oneMessage(r, n, notice.at, ['DESADV', 'D', '96A', 'UN', 'EAN005'], out);
}
