import type { ItemId } from '../dealer/order.ts';

/** A line of the order as it was sent, for the answers that name it. `price`: as sent. */
export type SentLine = { lineNo: string; ids: ItemId[]; quantity: number; unit: string; price: string; basis: string };
/** The envelope that an X12 order came in: answers go the other way, by the same separators and versions. Ids as they stand, `test`: ISA15 = T. */
export type X12Route = {
  standard: 'x12'; element: string; component: string; segment: string; repetition: string; version: string; test: boolean; from: { qualifier: string; id: string }; to: { qualifier: string; id: string };
  group: { from: string; to: string; version: string };
};
/** The envelope of an EDIFACT order. `from`, `to`: the composites of UNB as sent (id, qualifier, internal id). `association`: EAN008 and the like. */
export type EdifactRoute = { standard: 'edifact'; una: string; syntax: string; syntaxVersion: string; test: boolean; from: string[]; to: string[]; association: string };
export type TableRoute = { standard: 'table' };
/** How an order came, and so how it is answered. Holds nothing personal. `orderDate`: CCYYMMDD, '' where none was given. `parties`: EDIFACT's BY and SU, as sent. */
export type Sent = { route: X12Route | EdifactRoute | TableRoute; orderDate: string; shipToCode: string | null; shipToAgency: string; parties: Readonly<Record<string, string[]>>; lines: SentLine[] };

/** Units of a line: `accepted` are on hand, `backordered` come later, the rest is not delivered. */
export type LineAnswer = { lineNo: string; accepted: number; backordered: number };
/** What we say to an order. `ourNo`: our number of it, null where it was refused whole. `at`: ms. */
export type OrderAnswer = { orderNo: string; ourNo: string | null; purpose: 'original' | 'cancel'; at: number; agreed: boolean; lines: LineAnswer[] };

/** A shipment of an order. `sscc` null: none is made. Quantities in the dealer's units. */
export type ShippedParcel = { carrier: string; waybillNo: string; sscc: string | null; lines: { lineNo: string; quantity: number }[] };
export type ShipmentNotice = { orderNo: string; shipmentNo: string; shippedAt: number; at: number; parcels: ShippedParcel[] };

/** Control numbers of a document that is about to be written, each the next of its partner. X12: ISA13, GS06, ST02; EDIFACT: 0020, 0062. */
export type Numbers = { interchange: number; group: number; set: number };

export type Verdict = 'accepted' | 'changed' | 'rejected';
export function verdictOf(answer: OrderAnswer, sent: Sent): Verdict {
  if (!answer.agreed || (answer.purpose === 'original' && answer.lines.every((l) => l.accepted + l.backordered === 0))) return 'rejected';
  if (answer.purpose === 'cancel') return 'accepted';
  const whole = sent.lines.every((l) => answer.lines.find((a) => a.lineNo === l.lineNo)?.accepted === l.quantity);
  return whole ? 'accepted' : 'changed';
}

const two = (n: number): string => String(n).padStart(2, '0');
/** CCYYMMDD and HHMM in UTC. */
export function stamp(ms: number): { date: string; time: string } {
  const d = new Date(ms);
  return { date: `${d.getUTCFullYear()}${two(d.getUTCMonth() + 1)}${two(d.getUTCDate())}`, time: `${two(d.getUTCHours())}${two(d.getUTCMinutes())}` };
}

/** GS1 SSCC-18: extension digit, company prefix, serial, check digit (weights 3, 1 from the right; gs1.org). The serial runs through the digits that are left, the extension digit first. */
export function sscc(prefix: string, serial: number): string {
  const width = 16 - prefix.length;
  const number = String(serial).padStart(width + 1, '0').slice(-(width + 1));
  const body = `${number[0] ?? '0'}${prefix}${number.slice(1)}`;
  let sum = 0;
  for (let i = 0; i < body.length; i++) sum += Number(body[body.length - 1 - i]) * (i % 2 === 0 ? 3 : 1);
  return `${body}${(10 - (sum % 10)) % 10}`;
}
