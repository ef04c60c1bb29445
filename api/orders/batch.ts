import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { OrderIntake } from '../../domain/order/intake.ts';
import type { ApiDeps } from '../deps.ts';
import { fieldOf, reasonOf, toProblem } from '../plugins/problems.ts';
import { problemResponses } from '../schemas/common.ts';
import { captureOne } from './capture.ts';
import { refuseWhenOverloaded } from './overload.ts';
import { CaptureAnswerSchema, OrderIntakeSchema } from './schema.ts';

const MOST = 1_000;
type Invalid = Parameters<typeof fieldOf>[0];
type Validate = ((order: unknown) => boolean) & { errors?: Invalid[] | null };

const ResultSchema = Type.Object({
  status: Type.Integer({ description: '201 captured, 200 captured before, else as for POST /v1/orders' }), order: Type.Optional(CaptureAnswerSchema),
  problem: Type.Optional(Type.Object({ code: Type.String(), detail: Type.String(), field: Type.Optional(Type.String()) }, { additionalProperties: true })),
});

export const batchRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store, logger }) => {
  app.post('/v1/orders/batch', {
    bodyLimit: 16_777_216, config: { scope: 'orders:write' }, onRequest: refuseWhenOverloaded(store.capture),
    schema: {
      summary: 'Submit many orders at once', tags: ['orders'],
      description: `Up to ${MOST} orders; each is captured or refused by itself, the results are in the order of the request. They share transactions with whatever else arrives. Of the same order twice in one batch the first is captured. Sending a batch again captures nothing twice.`,
      body: Type.Object({ orders: Type.Array(Type.Unknown({ description: 'an order as for POST /v1/orders' }), { minItems: 1, maxItems: MOST }) }, { additionalProperties: false }),
      response: { 200: Type.Object({ results: Type.Array(ResultSchema) }), ...problemResponses },
    },
  }, async (request) => {
    const validate = request.compileValidationSchema(OrderIntakeSchema, 'body') as unknown as Validate;
    const one = async (body: unknown): Promise<(typeof ResultSchema)['static']> => {
      if (!validate(body)) {
        const first = validate.errors?.[0];
        return { status: 400, problem: { code: 'invalid', detail: first ? reasonOf(first) : 'the order is wrong', ...(first ? { field: fieldOf(first) } : {}) } };
      }
      try {
        const outcome = await captureOne(store, request.apiKey, body as OrderIntake, null);
        if ('problem' in outcome) throw outcome.problem;
        return { status: outcome.repeated ? 200 : 201, order: outcome.answer };
      } catch (error) {
        const problem = toProblem(error as Error);
        if (problem.code === 'internal') logger.error({ err: error, requestId: request.id }, 'an order of a batch failed');
        return { status: problem.status, problem: { code: problem.code, detail: problem.message, ...(problem.field === null ? {} : { field: problem.field }), ...problem.extra } };
      }
    };
    return { results: await Promise.all(request.body.orders.map(one)) };
  });
  return Promise.resolve();
};
