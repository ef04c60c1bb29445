import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { captureIntake } from '../../db/capture/capture-intake.ts';
import type { CaptureOutcome } from '../../db/capture/outcome.ts';
import type { Store } from '../../db/store.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import type { ApiKey } from '../../db/network.ts';
import { actorOf } from '../plugins/auth.ts';
import { problemResponses } from '../schemas/common.ts';
import type { ApiDeps } from '../deps.ts';
import { refuseWhenOverloaded } from './overload.ts';
import { CaptureAnswerSchema, OrderIntakeSchema } from './schema.ts';

/** Prepares and captures one order as a key's holder. Throws Problem when the order is refused before it reaches the database. */
export async function captureOne(store: Store, key: ApiKey, intake: OrderIntake, idempotencyKey: string | null): Promise<CaptureOutcome> {
  const missing = intake.lines.some((l) => store.network.knownSku(l.sku) === undefined);
  if (missing) await store.network.loadSkus(intake.lines.map((l) => l.sku));
  return captureIntake(store, intake, { apiKeyId: key.id, idempotencyKey, actor: actorOf(key), locationId: key.locationId });
}

export const captureRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  app.post('/v1/orders', {
    config: { scope: 'orders:write' }, onRequest: refuseWhenOverloaded(store.capture),
    schema: {
      summary: 'Submit an order', tags: ['orders'],
      description: 'Idempotent by channel and externalId, and by Idempotency-Key (24 h): the same body gets the same answer (200), another body 409 or 422.',
      headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '^[\\x20-\\x7e]+$' })) }),
      body: OrderIntakeSchema,
      response: { 200: CaptureAnswerSchema, 201: CaptureAnswerSchema, ...problemResponses },
    },
  }, async (request, reply) => {
    const outcome = await captureOne(store, request.apiKey, request.body as OrderIntake, request.headers['idempotency-key'] ?? null);
    if ('problem' in outcome) throw outcome.problem;
    return reply.code(outcome.repeated ? 200 : 201).header('location', `/v1/orders/${outcome.answer.id}`).send(outcome.answer);
  });
  return Promise.resolve();
};
