import { Type } from '@sinclair/typebox';
import { Next } from '../schemas/paging.ts';
import { Code, Nullable, OneOf, Timestamp } from '../schemas/common.ts';

const PolicyName = { code: Code, version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) };
export const SimulationBody = Type.Object({
  reference: Code, from: Timestamp, to: Timestamp, policies: Type.Array(Type.Object(PolicyName, { additionalProperties: false }), { minItems: 1, maxItems: 4, description: 'drafts, too' }),
}, { additionalProperties: false });
const whole = (description?: string) => Type.Integer(description === undefined ? {} : { description });
const Figures = Type.Object({
  orders: whole(), complete: whole('orders of which all was served at once'), shipments: whole(), units: whole(),
  cost: Type.Object({ freight: Type.Number(), handling: Type.Number(), settlement: Type.Number(), total: Type.Number() }, { description: 'minor units, as it is paid: no weights of a policy' }),
  costPerOrder: Type.Number(), shipmentsPerOrder: Type.Number(), promised: whole('orders with a promise'), onTime: whole('of these: complete, and all of it planned to arrive by the promise'),
  onTimeShare: Nullable(Type.Number()), daysLate: whole('days late of the latest shipment, all orders together'), stockOuts: Type.Object({ orders: whole(), lines: whole(), units: whole() }),
  km: Type.Number(), measured: whole('shipments whose two ends have coordinates'), kmPerShipment: Nullable(Type.Number()),
});
const Result = Type.Object({ total: Figures, regions: Type.Record(Type.String(), Figures) });
const head = {
  id: Type.String(), reference: Type.String(), status: OneOf(['queued', 'running', 'done', 'failed', 'cancelled']), from: Timestamp, to: Timestamp, progress: Type.Integer({ minimum: 0, maximum: 100 }),
  orders: Nullable(whole('replayed under each policy')), requestedBy: Type.String(), requestedAt: Timestamp, startedAt: Nullable(Timestamp), endedAt: Nullable(Timestamp), error: Nullable(Type.String()),
};
const policy = { code: Type.String(), version: Type.Integer(), simulated: whole('orders so far') };
export const SimulationList = Type.Object({ items: Type.Array(Type.Object({ ...head, policies: Type.Array(Type.Object(policy)) })), next: Next });
export const SimulationDetailSchema = Type.Object({ ...head, actual: Nullable(Result), policies: Type.Array(Type.Object({ ...policy, hash: Type.String(), result: Nullable(Result) })) });
export const SimulationAnswerSchema = Type.Object({ id: Type.String(), reference: Type.String(), status: OneOf(['queued']) });
