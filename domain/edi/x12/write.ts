import { stamp, verdictOf, type Numbers, type OrderAnswer, type Sent, type SentLine, type ShipmentNotice, type X12Route } from '../answer.ts';
import type { X12Group, X12Interchange, X12Set } from './interchange.ts';
import type { SegmentFault } from './order-850.ts';
import { x12Segment } from './segments.ts';

/** The way back of an interchange. */
export function routeOf(i: X12Interchange, group: Pick<X12Group, 'from' | 'to' | 'version'>): X12Route {
  const { element, component, segment, repetition } = i.separators;
  return { standard: 'x12', element, component, segment, repetition, version: i.version, test: i.test, from: i.from, to: i.to, group: { from: group.from, to: group.to, version: group.version } };
}

const pad = (text: string, width: number): string => text.slice(0, width).padEnd(width, ' ');
const no = (n: number, width: number): string => String(n).padStart(width, '0');

/** One interchange around what it is given: ISA…IEA, from us to the dealer. Control numbers: ISA13 nine digits; GS06 and ST02 without padding but four digits at least for ST02. */
function interchange(r: X12Route, n: Numbers, at: number, body: string, groups: number): string {
  const { date, time } = stamp(at);
  const isa = ['ISA', '00', pad('', 10), '00', pad('', 10), pad(r.to.qualifier, 2), pad(r.to.id, 15), pad(r.from.qualifier, 2), pad(r.from.id, 15), date.slice(2), time, r.repetition, pad(r.version, 5), no(n.interchange, 9), '0', r.test ? 'T' : 'P', r.component];
  return isa.join(r.element) + r.segment + body + x12Segment(r, 'IEA', groups, no(n.interchange, 9));
}

/** A group of one set. `segments`: what stands between ST and SE. */
function oneSet(r: X12Route, n: Numbers, at: number, code: string, type: string, segments: readonly string[]): string {
  const { date, time } = stamp(at);
  const control = no(n.set, 4);
  const body = x12Segment(r, 'GS', code, r.group.to, r.group.from, date, time, n.group, 'X', r.group.version)
    + x12Segment(r, 'ST', type, control) + segments.join('') + x12Segment(r, 'SE', segments.length + 2, control) + x12Segment(r, 'GE', 1, n.group);
  return interchange(r, n, at, body, 1);
}

/** Interchange acknowledgment (TA1, X12.56): the whole interchange is refused, or it asked for one (ISA14). `note`: code list I18, 000 for none. */
export function writeTa1(i: X12Interchange, n: Numbers, at: number, note: string): string {
  const r = routeOf(i, { from: '', to: '', version: '' });
  return interchange(r, n, at, x12Segment(r, 'TA1', i.control, i.date, i.time, note === '000' ? 'A' : 'R', note), 0);
}

export type SetOutcome = { set: X12Set; codes: string[]; faults: readonly SegmentFault[] };
/** Functional acknowledgment (997, X12.20) of one group: AK1, for each set AK2 AK3* AK4* AK5, AK9. `groupFaults`: AK905. */
export function write997(i: X12Interchange, group: X12Group, outcomes: readonly SetOutcome[], groupFaults: readonly string[], n: Numbers, at: number): string {
  const r = routeOf(i, group);
  const out: string[] = [x12Segment(r, 'AK1', group.code, group.control)];
  let accepted = 0;
  for (const { set, codes, faults } of outcomes) {
    out.push(x12Segment(r, 'AK2', set.type, set.control));
    for (const f of faults) {
      out.push(x12Segment(r, 'AK3', f.tag, f.position, f.loop, f.code));
      if (f.element) out.push(x12Segment(r, 'AK4', f.element.position, f.element.reference, f.element.code, f.element.copy.slice(0, 99)));
    }
    const all = [...codes, ...(faults.length > 0 ? ['5'] : [])];
    if (all.length === 0) accepted += 1;
    out.push(x12Segment(r, 'AK5', all.length === 0 ? 'A' : 'R', ...all.slice(0, 5)));
  }
  const verdict = groupFaults.length > 0 || (accepted === 0 && outcomes.length > 0) ? 'R' : accepted < outcomes.length ? 'P' : 'A';
  out.push(x12Segment(r, 'AK9', verdict, group.included, group.sets.length, groupFaults.length > 0 ? 0 : accepted, ...groupFaults.slice(0, 5)));
  return oneSet(r, n, at, 'FA', '997', out);
}

const itemIds = (line: SentLine | undefined): string[] => (line?.ids ?? []).slice(0, 10).flatMap((i) => [i.qualifier, i.id]);

/** Purchase order acknowledgment (855). BAK02: AD as it was sent, AC with changes, RD refused with detail, AT and RJ of a cancellation. ACK01 per line: IA accepted, IB backordered, IQ fewer than ordered, IR refused. */
export function write855(sent: Sent, r: X12Route, answer: OrderAnswer, n: Numbers): string {
  const { date } = stamp(answer.at);
  const verdict = verdictOf(answer, sent);
  const cancel = answer.purpose === 'cancel';
  const type = cancel ? (verdict === 'rejected' ? 'RJ' : 'AT') : { accepted: 'AD', changed: 'AC', rejected: 'RD' }[verdict];
  const out = [x12Segment(r, 'BAK', cancel ? '01' : '00', type, answer.orderNo, sent.orderDate === '' ? date : sent.orderDate, '', '', '', answer.ourNo ?? '', date)];
  if (cancel) return oneSet(r, n, answer.at, 'PR', '855', out);
  if (sent.shipToCode !== null) out.push(x12Segment(r, 'N1', 'ST', '', '92', sent.shipToCode));
  for (const line of sent.lines) {
    const { accepted = 0, backordered = 0 } = answer.lines.find((l) => l.lineNo === line.lineNo) ?? {};
    out.push(x12Segment(r, 'PO1', line.lineNo, line.quantity, line.unit, line.price, line.basis, ...itemIds(line)));
    const less = accepted + backordered < line.quantity;
    if (accepted > 0) out.push(x12Segment(r, 'ACK', less && backordered === 0 ? 'IQ' : 'IA', accepted, line.unit));
    if (backordered > 0) out.push(x12Segment(r, 'ACK', 'IB', backordered, line.unit));
    if (less && (accepted === 0 || backordered > 0)) out.push(x12Segment(r, 'ACK', 'IR', line.quantity - accepted - backordered, line.unit));
  }
  out.push(x12Segment(r, 'CTT', sent.lines.length));
  return oneSet(r, n, answer.at, 'PR', '855', out);
}

/** Ship notice (856), structure 0001: shipment, order, pack (its SSCC in MAN*GM, its waybill in MAN*CP), item. `carrier`: the dealer's code and whether it is a SCAC. */
export function write856(sent: Sent, r: X12Route, notice: ShipmentNotice, carrierOf: (code: string) => { code: string; scac: boolean }, n: Numbers): string {
  const shipped = stamp(notice.shippedAt);
  const now = stamp(notice.at);
  const out = [x12Segment(r, 'BSN', '00', notice.shipmentNo, now.date, now.time, '0001')];
  let hl = 0;
  const level = (parent: number | null, code: string): number => {
    hl += 1;
    out.push(x12Segment(r, 'HL', hl, parent ?? '', code));
    return hl;
  };
  const shipment = level(null, 'S');
  out.push(x12Segment(r, 'TD1', 'CTN', notice.parcels.length));
  for (const carrier of [...new Set(notice.parcels.map((p) => p.carrier))]) {
    const { code, scac } = carrierOf(carrier);
    out.push(x12Segment(r, 'TD5', 'B', scac ? '2' : '91', code));
  }
  for (const p of notice.parcels) out.push(x12Segment(r, 'REF', 'CN', p.waybillNo));
  out.push(x12Segment(r, 'DTM', '011', shipped.date, shipped.time));
  if (sent.shipToCode !== null) out.push(x12Segment(r, 'N1', 'ST', '', '92', sent.shipToCode));
  const order = level(shipment, 'O');
  out.push(x12Segment(r, 'PRF', notice.orderNo, '', '', sent.orderDate));
  for (const p of notice.parcels) {
    const pack = level(order, 'P');
    if (p.sscc !== null) out.push(x12Segment(r, 'MAN', 'GM', p.sscc));
    out.push(x12Segment(r, 'MAN', 'CP', p.waybillNo));
    for (const l of p.lines) {
      const line = sent.lines.find((s) => s.lineNo === l.lineNo);
      level(pack, 'I');
      out.push(x12Segment(r, 'LIN', l.lineNo, ...itemIds(line)), x12Segment(r, 'SN1', l.lineNo, l.quantity, line?.unit ?? 'EA', '', line?.quantity ?? ''));
    }
  }
  out.push(x12Segment(r, 'CTT', hl));
  return oneSet(r, n, notice.at, 'SH', '856', out);
}
