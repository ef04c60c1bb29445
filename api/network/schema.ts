import { Type } from '@sinclair/typebox';
import { Code, Currency, Minor, OneOf, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const Seconds = (what: string, minimum = 0) => Type.Integer({ minimum, maximum: 157_680_000, description: `${what}, seconds` });
export const KINDS = ['warehouse', 'store', 'dealer', 'third_party', 'vendor'] as const;
const Grams = Type.Integer({ minimum: 1, maximum: 100_000_000, description: 'grams' });
const Lat = Type.Number({ minimum: -90, maximum: 90 });
const Lon = Type.Number({ minimum: -180, maximum: 180 });
const Url = Type.String({ pattern: '^https?://[^\\s]+$', maxLength: 500 });
const Country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166' });

export const ChannelBody = Type.Object({
  name: Text(100), platform: Code, intakeMode: OneOf(['strict', 'accept'], 'strict refuses what is not in stock, accept captures facts'), currency: Currency,
  paymentWindowS: Seconds('time to pay', 1), backorderWindowS: Seconds('how long missing stock is waited for'), mergeWindowS: Seconds('how long routing waits for more orders'), returnWindowS: Seconds('return window after delivery'),
  supplyHorizonS: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000, description: 'how far ahead incoming stock is sold, seconds; default 0: not at all' })),
  minLifeDays: Type.Optional(Type.Integer({ minimum: 0, maximum: 3650, description: 'days that a lot must have left to be sold here; default 0' })),
  acceptTimeoutS: Type.Optional(Seconds('time that a location has to accept an order of this channel, in place of the location\'s own', 1)),
  rerouteAfterS: Type.Optional(Seconds('time from the reminder until it goes elsewhere, in place of the location\'s own', 1)),
  pickupReadyS: Type.Optional(Seconds('how soon a shop has a pickup ready while it works; default 7200', 1)),
  pickupKeepDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 60, description: 'how long a ready pickup is kept; default 3' })),
  depositRefundable: Type.Optional(Type.Boolean({ description: 'whether the deposit of a pre-sale is given back when its balance is not paid; default false' })),
  active: Type.Optional(Type.Boolean()),
}, closed);

export const LocationBody = Type.Object({
  name: Text(100), kind: OneOf(KINDS), country: Country, province: Text(60), city: Text(60), lat: Type.Optional(Lat), lon: Type.Optional(Lon), timeZone: Text(64, 1, { description: 'IANA name' }),
  cutoffMinutes: Type.Integer({ minimum: 0, maximum: 1440, description: 'minutes after local midnight' }), handlingMinutes: Type.Integer({ minimum: 0, maximum: 100_000 }),
  workDays: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { minItems: 1, maxItems: 7, uniqueItems: true, description: '1 is Monday' }), handlingCost: Minor,
  acceptTimeoutS: Type.Optional(Seconds('time to accept an order, then it is reminded; default 600', 1)), rerouteAfterS: Type.Optional(Seconds('time from the reminder until the order goes elsewhere; default: as long as acceptTimeoutS', 1)),
  noCapacityPauseS: Type.Optional(Seconds('how long it is given nothing new after it rejected as no_capacity; default 3600, 0: not at all')),
  closedPauseS: Type.Optional(Seconds('the same after it rejected as closed; default 14400')),
  openMinutes: Type.Optional(Type.Integer({ minimum: 0, maximum: 1439, description: 'from when on a work day somebody is there to accept orders, minutes after local midnight: the time to accept runs only then; default: warehouses and third parties around the clock, others from 09:00 to 21:00' })),
  closeMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_879, description: 'until when; goes with openMinutes, at most a day after it; beyond 1440 is after midnight' })),
  handlingUnitCost: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'for each unit, minor units; default 0' })),
  dailyCapacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'units a day; absent: as many as come' })),
  takesHazardous: Type.Optional(Type.Boolean({ description: 'default false' })), takesOversized: Type.Optional(Type.Boolean({ description: 'default true' })),
  partner: Type.Optional(Type.Object({ url: Url, secret: Type.Optional(Type.String({ pattern: '^whsec_[A-Za-z0-9+/=]+$', maxLength: 200 })) }, closed)), active: Type.Optional(Type.Boolean()),
}, closed);

export const PlacesBody = Type.Object({ places: Type.Array(Type.Object({ country: Country, province: Text(60), city: Text(60), lat: Lat, lon: Lon }, closed), { minItems: 1, maxItems: 5_000 }) }, closed);

const Day = Type.String({ format: 'date', description: 'YYYY-MM-DD' });
const sku = {
  name: Text(200), category: Type.Optional(Text(100)), unit: Type.Optional(Text(20)), weightG: Type.Integer({ minimum: 0, maximum: 10_000_000 }), cost: Type.Optional(Minor),
  lotTracked: Type.Optional(Type.Boolean()), active: Type.Optional(Type.Boolean()),
  volumeMm3: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000, description: 'of one unit' })), hazardous: Type.Optional(Type.Boolean()), oversized: Type.Optional(Type.Boolean()),
  attributes: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,39}$' }), Text(100), { ...closed, maxProperties: 40, description: 'colour, size band and the like, by name' })),
  listPrice: Type.Optional(Minor), seasonStart: Type.Optional(Day), seasonEnd: Type.Optional(Type.Unsafe<string>({ ...Day, description: 'the last day of its season' })),
  packSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'units that are moved and bought together; default 1' })),
};
export const SkuBody = Type.Object(sku, closed);
/** One of many, with its code. */
export const BulkSku = Type.Object({ code: Code, ...sku }, closed);

export const CarrierBody = Type.Object({
  name: Text(100), url: Type.Optional(Url), secret: Type.Optional(Type.String({ pattern: '^whsec_[A-Za-z0-9+/=]+$', maxLength: 200 })), active: Type.Optional(Type.Boolean()),
  dailyCapacity: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'parcels a day (UTC); absent: as many as come' })),
  refusals: Type.Optional(Type.Array(Type.Object({
    country: Country, province: Type.Optional(Text(60)), city: Type.Optional(Text(60)), postcodePrefix: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9 -]{1,12}$' })), service: Type.Optional(Code), reason: Text(200),
  }, closed), { maxItems: 5_000, description: 'addresses that it does not serve; absent: none. Postcodes are looked at when the waybill is asked for.' })),
  rates: Type.Array(Type.Object({
    zone: OneOf(['same_city', 'same_province', 'national', 'international']), firstWeightG: Grams, firstCost: Minor, stepG: Grams, stepCost: Minor,
    transitDays: Type.Integer({ minimum: 0, maximum: 365 }),
    service: Type.Optional(Type.Unsafe<string>({ ...Code, description: 'default: standard' })), cutoffMinute: Type.Optional(Type.Integer({ minimum: 0, maximum: 1440, description: 'minutes after the location\'s midnight; what is ready later leaves a day later' })),
    volumetricMm3PerG: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'volume divided by it is the volumetric weight' })), maxWeightG: Type.Optional(Grams), takesHazardous: Type.Optional(Type.Boolean()),
  }, closed), { maxItems: 80 }),
}, closed);
