import { Type } from '@sinclair/typebox';
import { Nullable } from '../schemas/common.ts';

/** A receiver as we answer it: what was taken in, whatever the intake's limits are by now. */
export const ReceiverSchema = Type.Object({
  name: Type.String(), phone: Type.String(), country: Type.String(), province: Type.String(), city: Type.String(), district: Type.Optional(Type.String()),
  street: Type.String(), postcode: Type.Optional(Type.String()),
});

export const FulfillmentLineSchema = Type.Object({ line: Type.Integer(), sku: Nullable(Type.String()), quantity: Type.Integer(), short: Type.Integer(), issued: Type.Integer() });

export const FulfillmentWorkSchema = Type.Object({
  id: Type.String(), order: Type.String(), location: Type.String(), status: Type.String(), carrier: Nullable(Type.String()), service: Type.String(), waybillNo: Nullable(Type.String()), priority: Type.Integer(),
  shipBy: Nullable(Type.String()), routedAt: Type.String(), acceptBy: Nullable(Type.String()), remindedAt: Nullable(Type.String({ description: 'when it was reminded that it has neither accepted nor rejected' })), rerouteAt: Nullable(Type.String({ description: 'when the order goes elsewhere' })), cancelRequested: Type.Boolean(), lines: Type.Array(FulfillmentLineSchema),
  shipTo: Type.Optional(Nullable(ReceiverSchema)),
});
