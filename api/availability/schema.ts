import { Type } from '@sinclair/typebox';
import { KINDS } from '../network/schema.ts';
import { Code, OneOf, problemResponses, Text } from '../schemas/common.ts';

const Units = (description: string) => Type.Integer({ minimum: 0, description });
const Named = { ...Text(60), description: 'of the destination, with way ship' };

export const AvailabilityQuery = Type.Object({
  channel: Code,
  sku: Type.String({ minLength: 1, maxLength: 6_600, pattern: '^[A-Za-z0-9._:,-]+$', description: 'codes, separated by commas; up to 100' }),
  way: { ...OneOf(['ship', 'pickup', 'ship_to_store'], 'ship: sent to the destination, or anywhere; pickup: what the location itself has; ship_to_store: what it has and what others could send there. Default: ship'), default: 'ship' },
  location: Type.Optional({ ...Code, description: 'with ways pickup and ship_to_store' }),
  country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166, of the destination; default CN where a province is given' })),
  province: Type.Optional(Named), city: Type.Optional(Named),
  locations: Type.Boolean({ default: false, description: 'also the units of each location' }),
});

const skuUnits = { now: Units('there'), total: Units('with what is coming') };
export const AvailabilityResponse = {
  200: Type.Object({
    channel: Type.String(), way: Type.String(),
    asOf: Type.String({ description: 'all that was committed before is counted' }), lagMs: Units('age of asOf'),
    skus: Type.Array(Type.Object({
      sku: Type.String(), known: Type.Boolean(), ...skuUnits,
      incoming: Type.Array(Type.Object({ date: Type.String({ description: 'day of arrival, in the zone of the location where it comes' }), units: Type.Integer() })),
      byKind: Type.Object(Object.fromEntries(KINDS.map((kind) => [kind, Type.Optional(Type.Integer())])), { description: 'the total by kind of location' }),
      locations: Type.Optional(Type.Array(Type.Object({ location: Type.String(), kind: Type.String(), ...skuUnits }))),
    })),
  }),
  ...problemResponses,
};
