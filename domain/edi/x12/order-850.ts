import { chooseId, listingOf, MAX_LINES, MAX_ORDER_NO, OrderDates, OTHER_DATE, type DealerAddress, type DealerLine, type DealerOrder, type ItemId } from '../../dealer/order.ts';
import type { DealerProfile } from '../../dealer/profile.ts';
import { END_OF_DAY, isUnread, moment, readAmount, readId, readQuantity } from '../../dealer/values.ts';
import type { Sent, SentLine } from '../answer.ts';
import type { X12Set } from './interchange.ts';
import type { X12Segment } from './segments.ts';

/**
 * A fault of a segment as 997 says it: AK3 (tag, position in the set with ST = 1, loop, code list 720) and, of an element, AK4 (position, data element, code list 723, what stood there; left out where it may be
 * personal). `detail`: for people.
 */
export type SegmentFault = { tag: string; position: number; loop: string; code: string; element: { position: number; reference: string; code: string; copy: string } | null; detail: string; at: number; field: string | null };
export type Read850 = { order: DealerOrder | null; orderDate: string; sent: Pick<Sent, 'shipToCode' | 'lines'>; faults: SegmentFault[] };

/** Bases of unit price (data element 639) that are of one unit; by the hundred and the like are not taken. */
const PRICE_BASES_PER_UNIT = new Set(['', 'PE', 'UM', 'TE', 'WE', 'PN', 'NT', 'LE', 'RE', 'CA', 'SR', 'QE']);

type Party = { name: string; lines: string[]; city: string; province: string; postcode: string; country: string; code: string | null; party: string };

/** Reads a purchase order (850) by a dealer's profile. With any fault there is no order: a set is taken whole or not. Facts of the layout: X12 004010 850. */
export function read850(set: X12Set, profile: DealerProfile): Read850 {
  const faults: SegmentFault[] = [];
  const first = set.segments[0]?.at ?? 1;
  let loop = '';
  const add = (s: X12Segment | null, code: string, detail: string, field: string | null, element: SegmentFault['element'] = null): void => {
    faults.push({ tag: s?.tag ?? field ?? '', position: s ? s.at - first + 1 : set.segments.length, loop, code, element, detail, at: s?.at ?? first, field });
  };
  const wrong = (s: X12Segment, position: number, reference: string, code: string, detail: string, field: string, quote = true): void =>
    add(s, '8', detail, field, { position, reference, code, copy: quote ? s.elements[position - 1] ?? '' : '' });

  const order: DealerOrder = { orderNo: '', purpose: 'original', orderedAt: null, shipBy: null, currency: profile.currency, shipTo: null, shipToCode: null, buyerName: null, remark: null, lines: [] };
  const sent: SentLine[] = [];
  let orderDate = '';
  let phone = '';
  let address: Party | null = null;
  let shipTo: Party | null = null;
  let line: { s: X12Segment; value: DealerLine } | null = null;
  let items = 0;
  let hasBeg = false;
  const notes: string[] = [];
  const dates = new OrderDates({ shipBy: ['038', '010'], deliverBy: ['063', '002'], notBefore: ['064', '037'] });

  for (const s of set.segments.slice(1)) {
    const el = (n: number): string => (s.elements[n - 1] ?? '').trim();
    switch (s.tag) {
      case 'BEG': {
        hasBeg = true;
        if (el(1) === '01') order.purpose = 'cancel';
        else if (el(1) !== '00') wrong(s, 1, '353', '7', `purpose "${el(1)}" is not taken: send 00 (original) or 01 (cancellation); for a change, cancel the order and send it under a new number`, 'purpose');
        order.orderNo = el(3);
        if (el(3) === '') wrong(s, 3, '324', '1', 'BEG03 is missing: the number of the order', 'orderNo');
        else if (el(3).length > MAX_ORDER_NO) wrong(s, 3, '324', '5', `the order number is longer than ${MAX_ORDER_NO} characters`, 'orderNo');
        orderDate = el(5);
        if (orderDate !== '') {
          order.orderedAt = day(orderDate);
          if (order.orderedAt === null) wrong(s, 5, '373', '8', `"${orderDate}" is no date as CCYYMMDD`, 'orderedAt');
        }
        break;
      }
      case 'CUR':
        if (/^[A-Z]{3}$/.test(el(2))) order.currency = el(2);
        else wrong(s, 2, '100', '7', `"${el(2)}" is no currency: three letters of ISO 4217`, 'currency');
        break;
      case 'DTM': {
        const kind = dates.kind(el(1));
        if (kind === null) break;
        const at = day(el(2));
        if (at === null) wrong(s, 2, '373', '8', `"${el(2)}" is no date as CCYYMMDD`, kind);
        else if (!dates.take(el(1), at + (kind === 'notBefore' ? 0 : END_OF_DAY))) wrong(s, 2, '373', '8', OTHER_DATE, kind);
        break;
      }
      case 'SCH': add(s, '2', 'SCH (a schedule of deliveries) is not taken: send an order for each date', 'SCH'); break;
      case 'N1':
        loop = 'N1';
        address = { name: el(2), lines: [], city: '', province: '', postcode: '', country: '', code: el(4) === '' ? null : el(4), party: el(1) };
        if (el(1) === 'ST') shipTo = address;
        if (el(1) === 'BY' && el(2) !== '') order.buyerName = el(2);
        break;
      case 'N2': if (address && el(1) !== '') address.name = `${address.name} ${el(1)}`.trim(); break;
      case 'N3': if (address) address.lines.push(...[el(1), el(2)].filter((t) => t !== '')); break;
      case 'N4':
        if (address) Object.assign(address, { city: el(1), province: el(2), postcode: el(3), country: el(4) });
        break;
      case 'PER': if (el(3) === 'TE' && (phone === '' || address?.party === 'ST')) phone = el(4); break;
      case 'MSG': if (el(1) !== '') notes.push(el(1)); break;
      case 'PO1': {
        loop = 'PO1';
        items += 1;
        line = readLine(s, el, items);
        break;
      }
      case 'PID': if (line && el(5) !== '') line.value.title = el(5).slice(0, 500); break;
      case 'CTT':
        loop = 'CTT';
        if (el(1) !== '' && Number(el(1)) !== items) wrong(s, 1, '354', '7', `CTT01 says ${el(1)} lines, ${items} came`, 'lines');
        break;
      default: break;
    }
  }
  loop = '';
  if (!hasBeg) add(null, '3', 'the set has no BEG', 'BEG');
  if (items === 0 && order.purpose === 'original') add(null, '3', 'the order has no line (PO1)', 'PO1');
  if (items > MAX_LINES) add(null, '5', `the order has more than ${MAX_LINES} lines: send it in parts`, 'PO1');
  const twice = order.lines.find((l, i) => order.lines.findIndex((o) => o.lineNo === l.lineNo) !== i);
  if (twice) add(null, '8', `line number "${twice.lineNo}" stands there twice (PO101)`, 'PO1');
  const misdated = dates.writeTo(order);
  if (misdated !== null) add(null, '8', misdated, 'DTM');
  if (notes.length > 0) order.remark = notes.join(' ').slice(0, 1000);
  placeIt(shipTo);
  return { order: faults.length === 0 && set.faults.length === 0 ? order : null, orderDate: order.orderedAt === null ? '' : orderDate, sent: { shipToCode: order.shipToCode, lines: sent }, faults };

  function readLine(s: X12Segment, el: (n: number) => string, no: number): { s: X12Segment; value: DealerLine } {
    const ids: ItemId[] = [];
    for (let i = 6; i + 1 <= s.elements.length; i += 2) if (el(i) !== '' && el(i + 1) !== '') ids.push({ qualifier: el(i), id: el(i + 1) });
    const lineNo = el(1) === '' ? String(no) : el(1);
    const value: DealerLine = { lineNo, ids, sku: '', merchantCode: ids.find((i) => i.qualifier === 'VN' || i.qualifier === 'SK')?.id ?? null, quantity: 0, unit: el(3), unitPrice: null, title: '' };
    const quantity = readQuantity(el(2), '.');
    if (isUnread(quantity)) wrong(s, 2, '330', el(2) === '' ? '1' : '7', quantity.wrong, 'quantity');
    else value.quantity = quantity;
    if (el(4) === '') {
      if (profile.missingPrice === 'zero') value.unitPrice = 0;
      else wrong(s, 4, '212', '1', 'PO104 is missing: the price of one unit (or set missingPrice of the profile to zero)', 'unitPrice');
    } else {
      const price = readAmount(el(4), '.', order.currency);
      if (isUnread(price)) wrong(s, 4, '212', '7', price.wrong, 'unitPrice');
      else value.unitPrice = price;
    }
    if (!PRICE_BASES_PER_UNIT.has(el(5))) wrong(s, 5, '639', '7', `price basis "${el(5)}" is not of one unit: send the price of one unit (PE)`, 'unitPrice');
    const id = chooseId(ids, profile.edi.itemIds);
    if (!id) wrong(s, 7, '234', '1', `none of the numbers of the item is known by the profile (${profile.edi.itemIds.join(', ')})`, 'sku', false);
    else {
      const known = readId(id.id);
      if (isUnread(known)) wrong(s, 7, '234', '6', known.wrong, 'sku');
      else value.sku = listingOf(known, el(3), profile.edi.baseUnits);
    }
    order.lines.push(value);
    sent.push({ lineNo, ids, quantity: value.quantity, unit: el(3), price: el(4), basis: el(5) });
    return { s, value };
  }

  function placeIt(to: Party | null): void {
    if (order.purpose === 'cancel') return;
    const code = to?.code ?? null;
    order.shipToCode = code;
    const known: DealerAddress | undefined = code === null ? undefined : profile.addressBook[code];
    if (known) order.shipTo = known;
    else if (to && to.lines.length > 0 && to.city !== '') {
      order.shipTo = {
        name: to.name, phone, country: to.country === '' ? profile.country : to.country, province: to.province === '' ? to.city : to.province, city: to.city, street: to.lines.join(' '),
        ...(to.postcode === '' ? {} : { postcode: to.postcode }),
      };
    } else {
      loop = 'N1';
      add(null, '3', code === null ? 'the set has no N1*ST with N3 and N4: where the goods go' : `ship-to "${code}" is not in the profile's address book, and the set has no N3 and N4 for it`, 'N1');
    }
  }
}

function day(text: string): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(text);
  return match ? moment(Number(match[1]), Number(match[2]), Number(match[3])) : null;
}
