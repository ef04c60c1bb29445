import { BASE_UNITS, ITEM_IDS, TABLE_FIELDS } from '../../domain/dealer/profile.ts';
import type { SettingsSchema } from '../channel.ts';

const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength });
const address = {
  type: 'object', additionalProperties: false, required: ['name', 'country', 'province', 'city', 'street'],
  properties: { name: text(100), phone: { type: 'string', maxLength: 40 }, country: { type: 'string', pattern: '^[A-Z]{2}$' }, province: text(100), city: text(100), district: text(100), street: text(300), postcode: text(20) },
};

/** The mapping profile of a dealer: how its files are read and answered. */
export const settings: SettingsSchema = {
  required: [],
  properties: {
    table: {
      type: 'object', additionalProperties: false,
      description: `CSV and Excel. columns: our field → its column (fields: ${TABLE_FIELDS.join(', ')}; a column of the field's own name needs no entry); dateFormat of YYYY, YY, MM, DD, HH, mm; grouping: rows of an order number are an order, or the whole file is one`,
      properties: {
        encoding: { type: 'string', enum: ['utf-8', 'gbk'] }, delimiter: { type: 'string', enum: [',', ';', '\t', '|'] }, decimal: { type: 'string', enum: ['.', ','] }, dateFormat: { type: 'string', pattern: '^[YMDHm./ :T年月日-]{4,24}$' },
        grouping: { type: 'string', enum: ['order', 'file'] }, columns: { type: 'object', additionalProperties: false, properties: Object.fromEntries(TABLE_FIELDS.map((f) => [f, text(100)])) },
      },
    },
    edi: {
      type: 'object', additionalProperties: false,
      description: `X12 and EDIFACT. sender: the dealer on the envelope, as QUALIFIER:ID (X12) or ID:QUALIFIER (EDIFACT), anybody where it is left out; receiver: we; itemIds: which number of an item counts, the first that is there (default ${ITEM_IDS.join(', ')}); baseUnits: units that are our own (default ${BASE_UNITS.join(', ')}), any other makes a listing NUMBER/UNIT`,
      properties: { sender: text(40), receiver: text(40), itemIds: { type: 'array', minItems: 1, maxItems: 20, items: text(4) }, baseUnits: { type: 'array', maxItems: 20, items: text(4) } },
    },
    country: { type: 'string', pattern: '^[A-Z]{2}$', default: 'CN', description: 'ISO 3166: where an address names no country' },
    missingPrice: { type: 'string', enum: ['refuse', 'zero'], default: 'refuse', description: 'a line without price: refused, or taken at 0 (it is agreed and billed elsewhere)' },
    unknownSku: { type: 'string', enum: ['hold', 'reject'], default: 'hold', description: 'an item that is not mapped: its order is held until it is, or the line is refused and the others go on' },
    backorders: { type: 'string', enum: ['keep', 'cut'], default: 'keep', description: 'units that are not on hand: delivered later, or cut off the order' },
    orderType: { type: 'string', enum: ['wholesale', 'retail', 'consignment'], default: 'wholesale', description: 'the type of its orders' },
    payment: { type: 'string', enum: ['on_account', 'paid'], default: 'on_account', description: 'billed later, or paid already' },
    mapByMerchantCode: { type: 'boolean', default: false, description: 'an item whose number is one of our SKUs is mapped to it at once; else it is suggested' },
    gs1Prefix: { type: 'string', pattern: '^\\d{7,10}$', description: 'our GS1 company prefix: each parcel gets an SSCC of it' },
    carrierCodes: { type: 'object', maxProperties: 200, additionalProperties: text(17), description: "our carrier → the dealer's code of it (SCAC)" },
    addressBook: { type: 'object', secret: true, maxProperties: 10_000, additionalProperties: address, description: "the dealer's code of a place (GLN, shop number) → its address" },
  },
};
