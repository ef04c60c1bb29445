import { Type } from '@sinclair/typebox';
import { TRANSFER_REASONS } from '../../db/transfers/transfer.ts';
import { Code, OneOf, Quantity, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const seconds = (description: string) => Type.Integer({ minimum: 60, maximum: 31_536_000, description });
const Picked = Type.Array(Type.Object({ sku: Code, quantity: Type.Integer({ minimum: 0, maximum: 1_000_000 }) }, closed), { minItems: 1, maxItems: 2_000 });

export const TransferBody = Type.Object({
  reference: Type.Unsafe<string>({ ...Code, description: 'your name for it; again with the same body it answers the same' }), reason: OneOf(TRANSFER_REASONS),
  order: Type.Optional(Text(64, 1, { description: 'the order that it is for; with reason `order` only' })), from: Code, to: Code,
  lines: Type.Array(Type.Object({ sku: Code, quantity: Quantity }, closed), { minItems: 1, maxItems: 500 }),
  approve: Type.Optional(Type.Boolean({ description: 'set the units aside at once; else it waits for its approval' })),
  transitS: Type.Optional(seconds('seconds on its way; left out: as the policy says')), note: Type.Optional(Text(500)),
}, closed);
export const PickBody = Type.Object({ lines: Type.Optional(Picked) }, { ...closed, description: '`lines`: what was found; left out: everything' });
export const ShipBody = Type.Object({ lines: Type.Optional(Picked), expectedAt: Type.Optional(Timestamp) }, { ...closed, description: '`lines` left out: what was picked' });
export const PolicyBody = Type.Object({
  decideWithinS: seconds('until a proposal lapses'), shipWithinS: seconds('from the approval until it should have left'), giveUpAfterS: seconds('from the approval until its units are free again'),
  transitS: seconds('on its way, where a transfer does not say'),
}, closed);
