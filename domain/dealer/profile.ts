import type { OrderType } from '../order/intake.ts';
import type { DealerAddress } from './order.ts';

/** Fields of a table (CSV, Excel), and what its column is called where the profile does not say. */
export const TABLE_FIELDS = [
  'orderNo', 'lineNo', 'sku', 'quantity', 'unit', 'unitPrice', 'currency', 'orderedAt', 'shipBy', 'shipToCode', 'name', 'phone', 'country', 'province', 'city', 'district', 'street', 'postcode', 'remark', 'title',
] as const;
export type TableField = (typeof TABLE_FIELDS)[number];
/** Fields that may hold personal data: what stands in them is never quoted. */
export const PERSONAL: ReadonlySet<TableField> = new Set<TableField>(['name', 'phone', 'province', 'city', 'district', 'street', 'postcode', 'remark']);

export type TableProfile = {
  encoding: 'utf-8' | 'gbk'; delimiter: ',' | ';' | '\t' | '|'; decimal: '.' | ','; dateFormat: string; grouping: 'order' | 'file';
  /** our field → the name of its column */
  columns: Partial<Record<TableField, string>>;
};
/** `sender`, `receiver`: who the dealer and we are on the envelope, as `QUALIFIER:ID` (EDIFACT: `ID:QUALIFIER` or `ID`); null: whoever it says. */
export type EdiProfile = { sender: string | null; receiver: string | null; itemIds: string[]; baseUnits: string[] };

/** How a dealer's files are to be read and answered; the settings of its channel. */
export type DealerProfile = {
  table: TableProfile; edi: EdiProfile; currency: string; country: string;
  missingPrice: 'refuse' | 'zero'; unknownSku: 'hold' | 'reject'; backorders: 'keep' | 'cut'; orderType: OrderType; payment: 'on_account' | 'paid';
  /** GS1 company prefix for SSCCs; null: none are made */
  gs1Prefix: string | null;
  /** our carrier → the dealer's code for it (SCAC) */
  carrierCodes: Readonly<Record<string, string>>;
  addressBook: Readonly<Record<string, DealerAddress>>;
};

export const ITEM_IDS = ['VN', 'SA', 'SK', 'UP', 'EN', 'UK', 'SRV', 'IN', 'BP', 'CB'];
export const BASE_UNITS = ['EA', 'PCE', 'C62', 'UN'];

const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? value as Record<string, unknown> : {});

/** The profile of a channel's settings, which were checked against the schema when they were written. */
export function profileOf(currency: string, settings: Readonly<Record<string, unknown>>, secrets: Readonly<Record<string, string>>): DealerProfile {
  const table = object(settings['table']);
  const edi = object(settings['edi']);
  const book = secrets['addressBook'];
  return {
    table: { encoding: 'utf-8', delimiter: ',', decimal: '.', dateFormat: 'YYYY-MM-DD', grouping: 'order', columns: {}, ...table } as TableProfile,
    edi: { sender: null, receiver: null, itemIds: ITEM_IDS, baseUnits: BASE_UNITS, ...edi } as EdiProfile,
    currency, country: 'CN', missingPrice: 'refuse', unknownSku: 'hold', backorders: 'keep', orderType: 'wholesale', payment: 'on_account', gs1Prefix: null, carrierCodes: {},
    ...pick(settings, ['country', 'missingPrice', 'unknownSku', 'backorders', 'orderType', 'payment', 'gs1Prefix', 'carrierCodes']),
    addressBook: book === undefined ? {} : JSON.parse(book) as DealerProfile['addressBook'],
  };
}

function pick(settings: Readonly<Record<string, unknown>>, names: readonly string[]): Partial<DealerProfile> {
  return Object.fromEntries(names.filter((n) => settings[n] !== undefined).map((n) => [n, settings[n]]));
}
