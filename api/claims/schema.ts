import { Type } from '@sinclair/typebox';
import { Minor, Nullable, OneOf, Reason, Text } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;

export const ParcelParams = Type.Object({ id: Type.String({ pattern: '^par_[0-9a-hjkmnp-tv-z]{26}$', description: 'par_…' }) });
export const ClaimParams = Type.Object({ id: Type.String({ pattern: '^clm_[0-9a-hjkmnp-tv-z]{26}$', description: 'clm_…' }) });
export const LostSchema = Type.Object({ reason: Reason }, closed);

export const ResolutionSchema = Type.Object({
  outcome: OneOf(['accepted', 'rejected'], "the carrier's answer"),
  amount: Type.Optional({ ...Minor, description: 'what the carrier pays, in minor units; what was claimed where left out; not for `rejected`' }),
  note: Type.Optional(Text(500, 1, { description: 'nothing personal' })),
}, closed);

export const ClaimSchema = Type.Object({
  id: Type.String(), order: Type.String(), parcel: Type.String(), waybillNo: Type.String(), carrier: Type.String(), kind: Type.String(), status: Type.String(),
  amount: Type.Integer({ description: "claimed: the net value of the parcel's goods, without freight" }), settledAmount: Nullable(Type.Integer({ description: 'what the carrier pays' })),
  currency: Type.String(), openedAt: Type.String(), closedAt: Nullable(Type.String()), note: Nullable(Type.String()),
}, { description: 'money in minor units' });
