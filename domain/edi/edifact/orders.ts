import { chooseId, listingOf, MAX_LINES, MAX_ORDER_NO, OrderDates, OTHER_DATE, type DealerLine, type DealerOrder } from '../../dealer/order.ts';
import type { DealerProfile } from '../../dealer/profile.ts';
import { END_OF_DAY, isUnread, moment, readAmount, readId, readQuantity } from '../../dealer/values.ts';
import type { Sent, SentLine } from '../answer.ts';
import type { EdifactInterchange, EdifactMessage } from './interchange.ts';
import type { EdifactSegment } from './segments.ts';

/** An error of a segment: UCS (position in the message with UNH = 1, 0085) and UCD (0085, element with the tag = 1, component). */
export type MessageFault = { position: number; tag: string; code: string; element: number | null; component: number | null; detail: string; at: number; field: string };
export type ReadOrders = { order: DealerOrder | null; sent: Pick<Sent, 'shipToCode' | 'shipToAgency' | 'lines' | 'parties' | 'orderDate'>; faults: MessageFault[] };

/** Reads ORDERS D.96A (EANCOM 1997 as partners use it) by a dealer's profile. With any fault there is no order. */
export function readOrders(message: EdifactMessage, interchange: EdifactInterchange, profile: DealerProfile): ReadOrders {
  const { syntax } = interchange;
  const decimal = interchange.separators.decimal === ',' ? ',' : '.';
  const first = message.segments[0]?.at ?? 1;
  const faults: MessageFault[] = [];
  const wrong = (s: EdifactSegment | null, code: string, element: number | null, component: number | null, detail: string, field: string): void => {
    faults.push({ position: s ? s.at - first + 1 : message.segments.length, tag: s?.tag ?? field, code, element, component, detail, at: s?.at ?? first, field });
  };
  const order: DealerOrder = { orderNo: '', purpose: 'original', orderedAt: null, shipBy: null, currency: profile.currency, shipTo: null, shipToCode: null, buyerName: null, remark: null, lines: [] };
  const sent: SentLine[] = [];
  const parties: Record<string, string[]> = {};
  let orderDate = '';
  let agency = '';
  let delivery: { name: string; street: string; city: string; province: string; postcode: string; country: string } | null = null;
  let party = '';
  let phone = '';
  let hasBgm = false;
  let line: { s: EdifactSegment; value: DealerLine; sent: SentLine; counted: boolean; priced: boolean } | null = null;
  let count: { s: EdifactSegment; lines: string } | null = null;
  const notes: string[] = [];
  const dates = new OrderDates({ shipBy: ['10'], deliverBy: ['63', '2'], notBefore: ['64'] });

  for (const s of message.segments) {
    const el = (n: number, c = 1): string => (s.elements[n - 1]?.[c - 1] ?? '').trim();
    if ((syntax === 'UNOA' || syntax === 'UNOB') && s.elements.some((e) => e.some((c) => /[^\x20-\x7e]/.test(c)))) {
      const element = s.elements.findIndex((e) => e.some((c) => /[^\x20-\x7e]/.test(c)));
      wrong(s, '21', element + 2, null, `${syntax} has no such character: send UNOC (ISO 8859-1) or UNOW (UTF-8), or leave it out`, s.tag);
    }
    switch (s.tag) {
      case 'BGM':
        hasBgm = true;
        if (!['220', '224'].includes(el(1))) wrong(s, '12', 2, 1, `document "${el(1)}" is no order: 220`, 'BGM');
        order.orderNo = el(2);
        if (el(2) === '') wrong(s, '13', 3, null, 'the number of the order is missing (1004)', 'orderNo');
        else if (el(2).length > MAX_ORDER_NO) wrong(s, '39', 3, null, `the order number is longer than ${MAX_ORDER_NO} characters`, 'orderNo');
        if (el(3) === '1') order.purpose = 'cancel';
        else if (el(3) !== '' && el(3) !== '9') wrong(s, '12', 4, null, `function "${el(3)}" is not taken: send 9 (original) or 1 (cancellation); for a change, cancel the order and send it under a new number`, 'purpose');
        break;
      case 'DTM': {
        const at = moment102(el(1, 2), el(1, 3));
        const kind = dates.kind(el(1, 1));
        if (kind === null && el(1, 1) !== '137') break;
        if (at === null) wrong(s, '12', 2, 2, `"${el(1, 2)}" is no date as ${el(1, 3) === '203' ? 'CCYYMMDDHHMM (203)' : 'CCYYMMDD (102)'}`, 'DTM');
        else if (kind === null) [order.orderedAt, orderDate] = [at, el(1, 2).slice(0, 8)];
        else if (!dates.take(el(1, 1), at + (el(1, 3) === '203' || kind === 'notBefore' ? 0 : END_OF_DAY))) wrong(s, '12', 2, 2, OTHER_DATE, kind);
        break;
      }
      case 'NAD':
        party = el(1);
        if (party === 'BY' || party === 'SU') parties[party] = s.elements[1] ?? [];
        if (party === 'BY' && el(4) !== '') order.buyerName = el(4);
        if (party === 'DP' || (party === 'BY' && delivery === null && order.shipToCode === null)) {
          order.shipToCode = el(2) === '' ? null : el(2);
          agency = el(2, 3);
          const text = (n: number): string => (s.elements[n - 1] ?? []).map((t) => t.trim()).filter((t) => t !== '').join(' ');
          delivery = { name: text(4) === '' ? text(3) : text(4), street: text(5), city: el(6), province: el(7), postcode: el(8), country: el(9) };
        }
        break;
      case 'COM': if (el(1, 2) === 'TE' && (party === 'DP' || phone === '')) phone = el(1, 1); break;
      case 'FTX': { const text = (s.elements[3] ?? []).filter((t) => t !== '').join(' '); if (text !== '') notes.push(text); break; }
      case 'CUX':
        if (/^[A-Z]{3}$/.test(el(1, 2))) order.currency = el(1, 2);
        else wrong(s, '12', 2, 2, `"${el(1, 2)}" is no currency: three letters of ISO 4217`, 'currency');
        break;
      case 'LIN': {
        endLine();
        const lineNo = el(1) === '' ? String(order.lines.length + 1) : el(1);
        const ids = el(3, 1) === '' ? [] : [{ qualifier: el(3, 2) === '' ? 'EN' : el(3, 2), id: el(3, 1) }];
        line = {
          s, counted: false, priced: false, sent: { lineNo, ids, quantity: 0, unit: '', price: '', basis: '' },
          value: { lineNo, ids, sku: '', merchantCode: null, quantity: 0, unit: '', unitPrice: null, title: '' },
        };
        break;
      }
      case 'PIA':
        if (line) for (let n = 2; n <= s.elements.length; n++) if (el(n, 1) !== '' && el(n, 2) !== '') line.value.ids.push({ qualifier: el(n, 2), id: el(n, 1) });
        break;
      case 'IMD': if (line && el(3, 4) !== '') line.value.title = el(3, 4).slice(0, 500); break;
      case 'QTY':
        if (line && el(1, 1) === '21') {
          const quantity = readQuantity(el(1, 2), decimal);
          line.counted = true;
          line.value.unit = line.sent.unit = el(1, 3);
          if (isUnread(quantity)) wrong(s, '12', 2, 2, quantity.wrong, 'quantity');
          else line.value.quantity = line.sent.quantity = quantity;
        }
        break;
      case 'PRI':
        if (line && (el(1, 1) === 'AAA' || (el(1, 1) === 'AAB' && !line.priced))) {
          const price = readAmount(el(1, 2), decimal, order.currency);
          line.priced = true;
          line.sent.price = el(1, 2);
          if (isUnread(price)) wrong(s, '12', 2, 2, price.wrong, 'unitPrice');
          else if (el(1, 5) !== '' && Number(el(1, 5)) !== 1) wrong(s, '12', 2, 5, `the price is of ${el(1, 5)} units: send the price of one`, 'unitPrice');
          else line.value.unitPrice = price;
        }
        break;
      case 'CNT': if (el(1, 1) === '2') count = { s, lines: el(1, 2) }; break;
      default: break;
    }
  }
  endLine();
  if (!hasBgm) wrong(null, '13', null, null, 'the message has no BGM', 'BGM');
  if (order.lines.length === 0 && order.purpose === 'original') wrong(null, '13', null, null, 'the order has no line (LIN)', 'LIN');
  if (order.lines.length > MAX_LINES) wrong(null, '35', null, null, `the order has more than ${MAX_LINES} lines: send it in parts`, 'LIN');
  const counted = count as { s: EdifactSegment; lines: string } | null;
  if (counted && Number(counted.lines) !== order.lines.length) wrong(counted.s, '29', 2, 2, `CNT says ${counted.lines} lines, ${order.lines.length} came`, 'lines');
  const twice = order.lines.find((l, i) => order.lines.findIndex((o) => o.lineNo === l.lineNo) !== i);
  if (twice) wrong(null, '26', null, null, `line number "${twice.lineNo}" stands there twice`, 'LIN');
  const misdated = dates.writeTo(order);
  if (misdated !== null) wrong(null, '12', null, null, misdated, 'DTM');
  if (notes.length > 0) order.remark = notes.join(' ').slice(0, 1000);
  if (order.purpose === 'original') placeIt();
  return { order: faults.length === 0 && message.fault === null ? order : null, sent: { shipToCode: order.shipToCode, shipToAgency: agency, parties, orderDate, lines: sent }, faults };

  function endLine(): void {
    if (!line) return;
    const { s, value } = line;
    const id = chooseId(value.ids, profile.edi.itemIds);
    value.merchantCode = value.ids.find((i) => i.qualifier === 'SA' || i.qualifier === 'VN')?.id ?? null;
    const known = id ? readId(id.id) : null;
    if (!id || known === null) wrong(s, '13', 4, 1, `none of the numbers of the item is known by the profile (${profile.edi.itemIds.join(', ')})`, 'sku');
    else if (isUnread(known)) wrong(s, '12', 4, 1, known.wrong, 'sku');
    else value.sku = listingOf(known, value.unit, profile.edi.baseUnits);
    if (!line.counted) wrong(s, '13', null, null, `line ${value.lineNo} has no QTY+21`, 'quantity');
    if (!line.priced) {
      if (profile.missingPrice === 'zero') value.unitPrice = 0;
      else wrong(s, '13', null, null, `line ${value.lineNo} has no PRI+AAA (or set missingPrice of the profile to zero)`, 'unitPrice');
    }
    order.lines.push(value);
    sent.push(line.sent);
    line = null;
  }

  function placeIt(): void {
    const known = order.shipToCode === null ? undefined : profile.addressBook[order.shipToCode];
    if (known) order.shipTo = known;
    else if (delivery && delivery.street !== '' && delivery.city !== '') {
      order.shipTo = {
        name: delivery.name, phone, country: delivery.country === '' ? profile.country : delivery.country, province: delivery.province === '' ? delivery.city : delivery.province, city: delivery.city, street: delivery.street,
        ...(delivery.postcode === '' ? {} : { postcode: delivery.postcode }),
      };
    } else wrong(null, '13', null, null, order.shipToCode === null ? 'the message has no NAD+DP: where the goods go' : `place "${order.shipToCode}" is not in the profile's address book, and NAD+DP has no street and city`, 'NAD');
  }
}

/** DTM in format 102 (CCYYMMDD) or 203 (CCYYMMDDHHMM), in UTC. */
function moment102(text: string, format: string): number | null {
  const match = (format === '203' ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/ : /^(\d{4})(\d\d)(\d\d)$/).exec(text);
  return match ? moment(Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4] ?? 0), Number(match[5] ?? 0)) : null;
}
