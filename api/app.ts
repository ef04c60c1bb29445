import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { LogController, type FastifyInstance } from 'fastify';
import { uuidv7 } from '../runtime/ids.ts';
import type { ApiDeps } from './deps.ts';
import { auth } from './plugins/auth.ts';
import { serializerCompiler, validatorCompiler } from './plugins/compilers.ts';
import { metrics } from './plugins/metrics.ts';
import { openapi } from './plugins/openapi.ts';
import { answerProblem, problems } from './plugins/problems.ts';
import { routes } from './routes.ts';

/** The API over its dependencies, not listening yet: tests use `inject`, `main.ts` listens. */
export async function buildApp(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.logger, logController: new LogController({ disableRequestLogging: true }), bodyLimit: deps.bodyLimit ?? 1_048_576, genReqId: () => uuidv7(),
    routerOptions: { maxParamLength: 200 }, frameworkErrors: (error, request, reply) => { void answerProblem(error, request, reply); },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser('text/plain'); // Fastify's own: JSON only, unless a route says otherwise
  await app.register(problems);
  await app.register(auth, { network: deps.store.network });
  await app.register(openapi);
  await app.register(metrics, { store: deps.store });
  app.addHook('onResponse', (request, reply, next) => {
    request.log.debug({ requestId: request.id, method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }, 'answered');
    next();
  });
  for (const route of routes) await app.register(route, deps);
  return app as unknown as FastifyInstance;
}
