import { Type } from '@sinclair/typebox';
import { LEASE_MODES } from '../../db/leases/lease.ts';
import { Code, Nullable, OneOf, Quantity, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const ExpiresInS = Type.Integer({ minimum: 1, maximum: 86_400, description: 'seconds from now' });

export const ReservationParams = Type.Object({ id: Type.String({ pattern: '^res_[0-9a-hjkmnp-tv-z]{26}$', description: 'res_…' }) });
export const ReservationBody = Type.Object({
  reference: Text(128, 1, { description: 'of your own: the same owner and reference twice is one reservation' }),
  owner: Text(128, 1, { description: 'who holds it: a cart, a quote, a partner; nothing personal' }),
  channel: { ...Code, description: 'its orders\' stock is reserved from' }, expiresInS: ExpiresInS,
  mode: OneOf(LEASE_MODES, 'all: everything or nothing; lines: each line whole or not at all; partial: what there is (of bundles whole ones)'),
  destination: Type.Optional(Type.Object({ country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166' }), province: Text(60), city: Text(60) }, { ...closed, description: 'near which to reserve' })),
  lines: Type.Array(Type.Object({ sku: Code, quantity: Quantity }, closed), { minItems: 1, maxItems: 200 }),
}, closed);
export const ExtensionBody = Type.Object({ expiresInS: ExpiresInS }, closed);
export const TransferBody = Type.Object({ order: Type.String({ pattern: '^ord_[0-9a-hjkmnp-tv-z]{26}$', description: 'ord_…' }) }, closed);

export const ReservationSchema = Type.Object({
  id: Type.String(), owner: Type.String(), reference: Type.String(), channel: Type.String(), mode: Type.String(),
  status: OneOf(['active', 'released', 'expired', 'transferred']), expiresAt: Type.String(), createdAt: Type.String(), endedAt: Nullable(Type.String()),
  order: Nullable(Type.String({ description: 'the order that has its units now' })),
  transfer: Nullable(Type.Object({ served: Type.Integer(), replaced: Type.Integer(), released: Type.Integer() }, { description: 'units that served shortages of the order, replaced reservations of its own, went back to stock' })),
  lines: Type.Array(Type.Object({
    line: Type.Integer(), sku: Type.String(), quantity: Type.Integer({ description: 'asked for' }),
    bundle: Nullable(Type.Object({ sku: Type.String(), line: Type.Integer() }, { description: 'the bundle that this line is a component of, and the line on which it was asked for' })),
    reserved: Type.Array(Type.Object({ location: Type.String(), quantity: Type.Integer() })),
  })),
});
