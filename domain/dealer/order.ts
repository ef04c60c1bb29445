/** What names an item: a GTIN, the dealer's number, ours. `qualifier`: X12 code 235 or EDIFACT 7143; `SKU` in tables. */
export type ItemId = { qualifier: string; id: string };
/**
 * A line as the dealer wrote it. `lineNo`: the dealer's own, unique in its order. `sku`: the item's number that listings are found by; `merchantCode`: ours, where the dealer gives it.
 * `unit`: as sent; `unitPrice`: minor units of the order's currency for one `unit`, null where none was given.
 */
export type DealerLine = { lineNo: string; ids: ItemId[]; sku: string; merchantCode: string | null; quantity: number; unit: string; unitPrice: number | null; title: string };
export type DealerAddress = { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string };

/** An order that a dealer sent in a file. Times ms since epoch. `shipToCode`: the dealer's name (or GLN) of the place it goes to. `line`: where it begins in the file (row, or segment). */
export type DealerOrder = {
  orderNo: string; purpose: 'original' | 'cancel'; orderedAt: number | null; shipBy: number | null; currency: string; shipTo: DealerAddress | null; shipToCode: string | null; buyerName: string | null;
  remark: string | null; lines: DealerLine[];
  /** it is wanted by then, and not before; left out where the dealer says nothing of that */
  deliverBy?: number; notBefore?: number;
};

/** What a date of an order means. */
export type DateKind = 'shipBy' | 'deliverBy' | 'notBefore';
/**
 * Dates of an order by their qualifiers, each for all of it. `means`: the better qualifier of a kind first (the latest delivery before the wished one).
 */
export class OrderDates {
  readonly #means: Readonly<Record<DateKind, readonly string[]>>;
  readonly #given = new Map<string, number>();

  constructor(means: Readonly<Record<DateKind, readonly string[]>>) {
    this.#means = means;
  }

  /** Null: a qualifier that says nothing we use. */
  kind(qualifier: string): DateKind | null {
    return (['shipBy', 'deliverBy', 'notBefore'] as const).find((kind) => this.#means[kind].includes(qualifier)) ?? null;
  }

  /** False: there was another date of this meaning, as where each line has its own. */
  take(qualifier: string, at: number): boolean {
    const known = this.#given.get(qualifier);
    this.#given.set(qualifier, known ?? at);
    return known === undefined || known === at;
  }

  /** Writes them to the order; what is wrong with them, null: nothing. */
  writeTo(order: DealerOrder): string | null {
    const of = (kind: DateKind): number | undefined => this.#means[kind].flatMap((q) => this.#given.get(q) ?? []).at(0);
    const [shipBy, deliverBy, notBefore] = [of('shipBy'), of('deliverBy'), of('notBefore')];
    order.shipBy = shipBy ?? null;
    if (deliverBy !== undefined) order.deliverBy = deliverBy;
    if (notBefore !== undefined) order.notBefore = notBefore;
    return notBefore !== undefined && notBefore > Math.min(deliverBy ?? notBefore, shipBy ?? notBefore) ? 'the order is wanted before it may be sent: the earliest date lies after the latest' : null;
  }
}
export const OTHER_DATE = 'the order has another date of this meaning: send an order for each date';

/** What is wrong with a file, at a line of it: what, and how to mend it. Never quotes what may be personal. */
export type FileFault = { line: number | null; orderNo: string | null; field: string | null; detail: string };

/** Order numbers of a dealer: what an order of ours may be called outside. */
export const MAX_ORDER_NO = 64;
export const MAX_LINES = 500;
export const MAX_QUANTITY = 1_000_000;

/** An item's number in another unit than the base one is a listing of its own: what a case holds stands in its mapping. */
export function listingOf(id: string, unit: string, baseUnits: readonly string[]): string {
  return unit === '' || baseUnits.includes(unit) ? id : `${id}/${unit}`;
}

/** The first of an item's numbers by the profile's order of qualifiers; null where it has none of them. */
export function chooseId(ids: readonly ItemId[], order: readonly string[]): ItemId | null {
  for (const qualifier of order) {
    const id = ids.find((i) => i.qualifier === qualifier && i.id !== '');
    if (id) return id;
  }
  return null;
}
