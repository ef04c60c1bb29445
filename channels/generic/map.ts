import { PartnerRefused } from '../../domain/http-port.ts';
import type { SeenAddress, SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from '../../domain/channel/seen-order.ts';
import { minorUnits } from '../money.ts';
import { list, text, whole } from '../safe-json.ts';
import { compilePath } from './path.ts';
import type { GenericSettings } from './settings.ts';

const STATUSES: readonly SeenStatus[] = ['unpaid', 'to_ship', 'part_shipped', 'shipped', 'done', 'cancelled'];
const KINDS: readonly SeenAfterSale['kind'][] = ['refund', 'return', 'exchange', 'resend', 'repair'];
const STEPS: readonly SeenAfterSale['status'][] = ['requested', 'agreed', 'goods_sent', 'done', 'refused', 'closed'];

/** Our word for one of the shop's, by a map of settings; ours need no line there. Throws PartnerRefused for one that nobody knows. */
function ours<W extends string>(word: string, map: Readonly<Record<string, string>>, known: readonly W[], what: string, setting: string): W {
  const own = Object.hasOwn(map, word) ? map[word] : word;
  const found = known.find((w) => w === own);
  if (found === undefined) throw new PartnerRefused(200, `${what} "${word}" is not known: give it a line in "${setting}"`);
  return found;
}

type Read = Readonly<Record<string, (value: unknown) => unknown>>;
const compile = (paths: Readonly<Record<string, string>> | undefined): Read => Object.fromEntries(Object.entries(paths ?? {}).map(([name, path]) => [name, compilePath(path)]));

/** Reads orders where the settings say that their fields stand. */
export class OrderMapper {
  readonly #s: GenericSettings;
  readonly #currency: string;
  readonly #now: () => number;
  readonly #order: Read;
  readonly #line: Read;
  readonly #afterSale: Read;
  readonly #wanted: Read;
  readonly #parcel: Read;

  /** `now`: ms since epoch; when an order was made or paid for whose time nothing tells is when it was read. */
  constructor(settings: GenericSettings, currency: string, now: () => number) {
    this.#s = settings;
    this.#now = now;
    this.#currency = currency;
    this.#order = compile(settings.order);
    this.#line = compile(settings.line);
    this.#afterSale = compile(settings.afterSales);
    this.#wanted = compile(settings.wantedAddress);
    this.#parcel = compile(settings.parcels);
  }

  /** ms since epoch; null where nothing stands. Throws PartnerRefused for what is no time. */
  time(value: unknown): number | null {
    if (value === undefined || value === null || value === '') return null;
    const { times } = this.#s;
    const ms = times === 'iso' ? (typeof value === 'string' ? Date.parse(value) : Number.NaN) : Number(value) * (times === 's' ? 1000 : 1);
    if (!Number.isSafeInteger(ms)) throw new PartnerRefused(200, `"${String(value)}" is no time (${times})`);
    return ms;
  }

  /** A version: a time or any whole number that grows. */
  version(value: unknown): number {
    const n = this.#s.times === 'iso' && typeof value === 'string' && !/^\d+$/.test(value) ? Date.parse(value) : whole(value);
    if (n === null || Number.isNaN(n)) throw new PartnerRefused(200, `"${String(value)}" is no version: a time or a whole number that grows`);
    return n;
  }

  #money(value: unknown, currency: string): number {
    if (value === undefined || value === null || value === '') return 0;
    if (this.#s.money === 'major') return minorUnits(value, currency);
    const n = whole(value);
    if (n === null) throw new PartnerRefused(200, `"${String(value)}" is no amount in minor units`);
    return n;
  }

  order(raw: unknown): SeenOrder {
    const at = (name: string): unknown => this.#order[name]?.(raw);
    const must = (name: string): string => {
      const value = text(at(name));
      if (value === null) throw new PartnerRefused(200, `the order has no ${name} at ${this.#s.order[name] ?? '?'}`);
      return value;
    };
    const currency = text(at('currency')) ?? this.#currency;
    const status = ours(must('status'), this.#s.statuses, STATUSES, 'status', 'statuses');
    const paidAt = this.#order['paidAt'] === undefined ? (status === 'unpaid' ? null : this.#now()) : this.time(at('paidAt'));
    const discount = this.#money(at('discount'), currency);
    return {
      externalId: must('externalId'), version: this.version(at('version')), status, fulfilledBy: text(at('fulfilledBy')) === 'platform' ? 'platform' : 'us', currency,
      orderedAt: this.time(at('orderedAt')) ?? this.#now(), paidAt, shipBy: this.time(at('shipBy')), cashOnDelivery: at('cashOnDelivery') === true,
      buyer: { id: text(at('buyerId')), name: text(at('buyerName')) }, address: this.#address(this.#order, raw), wantedAddress: this.#s.wantedAddress === undefined ? null : this.#address(this.#wanted, raw),
      lines: list(at('lines')).map((line) => this.#seenLine(line, currency)), discounts: discount > 0 ? [{ bearer: 'shop', code: 'order', amount: discount }] : [], freight: this.#money(at('freight'), currency),
      buyerRemark: text(at('buyerRemark')), sellerRemark: text(at('sellerRemark')), session: text(at('session')), afterSales: this.#afterSales(raw, currency),
      ...(this.#line['cancelled'] === undefined ? { refundsTellUnits: true } : {}),
      parcels: list(this.#parcel['items']?.(raw)).flatMap((p) => { const number = text(this.#parcel['number']?.(p)); return number === null ? [] : [{ carrier: text(this.#parcel['carrier']?.(p)) ?? '', number }]; }),
    };
  }

  #address(read: Read, raw: unknown): SeenAddress | null {
    const at = (name: string): string => text(read[name]?.(raw)) ?? '';
    if (at('name') === '' && at('street') === '') return null;
    return {
      name: at('name'), phone: at('phone'), country: at('country') || this.#s.country, province: at('province'), city: at('city'), street: at('street'),
      ...(at('district') === '' ? {} : { district: at('district') }), ...(at('postcode') === '' ? {} : { postcode: at('postcode') }),
    };
  }

  #seenLine(raw: unknown, currency: string): SeenLine {
    const at = (name: string): unknown => this.#line[name]?.(raw);
    const [lineId, sku, quantity] = [text(at('lineId')), text(at('sku')), whole(at('quantity'))];
    if (lineId === null || sku === null || quantity === null || quantity < 1) throw new PartnerRefused(200, 'a line has no id, SKU or quantity where the settings say');
    const discount = this.#money(at('discount'), currency);
    return {
      lineId, itemId: text(at('itemId')), platformSku: sku, merchantCode: text(at('merchantCode')), title: text(at('title')) ?? '', quantity, cancelled: whole(at('cancelled')) ?? 0, unitPrice: this.#money(at('unitPrice'), currency),
      discounts: discount > 0 ? [{ bearer: 'shop', code: 'line', amount: discount }] : [], gift: at('gift') === true,
    };
  }

  #afterSales(raw: unknown, currency: string): SeenAfterSale[] {
    return list(this.#afterSale['items']?.(raw)).map((a) => {
      const at = (name: string): unknown => this.#afterSale[name]?.(a);
      const kind = ours(text(at('kind')) ?? '', this.#s.afterSaleKinds, KINDS, 'kind of after-sale', 'afterSaleKinds');
      const status = ours(text(at('status')) ?? '', this.#s.afterSaleStatuses, STEPS, 'status of an after-sale', 'afterSaleStatuses');
      const lines = this.#afterSale['lines'] === undefined ? [] : list(at('lines')).flatMap((l) => {
        const [lineId, quantity] = [text(this.#afterSale['lineId']?.(l)), whole(this.#afterSale['quantity']?.(l))];
        return lineId === null || quantity === null ? [] : [{ lineId, quantity }];
      });
      return {
        id: text(at('id')) ?? '', kind, status, lines,
        amount: at('amount') === undefined ? null : this.#money(at('amount'), currency), reason: text(at('reason')) ?? '', waybill: null, version: at('version') === undefined ? 0 : this.version(at('version')),
      };
    });
  }
}
