import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { checkQuestion } from '../../domain/replenishment/check.ts';
import { forecast } from '../../domain/replenishment/forecast.ts';
import type { ApiDeps } from '../deps.ts';
import { problemResponses } from '../schemas/common.ts';
import { ForecastQuestionSchema, ForecastSchema } from './schema.ts';

/** Forecasting as a question: no state is read or changed. */
export const forecastRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app) => {
  app.post('/v1/forecasts', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'Demand of the coming periods as quantiles', tags: ['replenishment'], body: ForecastQuestionSchema, response: { 200: ForecastSchema, ...problemResponses },
      description: 'Takes a bare history and touches no state. The method is chosen by back-test on the history itself; the answer says which one and what its forecasts would have cost. The same history gives the same answer to the byte.',
    },
  }, (request) => {
    const { history, horizon = 1, quantiles = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95], season = 1, promoted } = request.body;
    const options = { horizon, quantiles, season, ...(promoted === undefined ? {} : { promoted }) };
    checkQuestion(history, options);
    return forecast(history, options);
  });
  return Promise.resolve();
};
