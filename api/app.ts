import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Ajv } from 'ajv';
import formatsModule from 'ajv-formats';
import fastify, { LogController, type FastifyInstance } from 'fastify';
import { uuidv7 } from '../runtime/ids.ts';
import type { ApiDeps } from './deps.ts';
import { auth } from './plugins/auth.ts';
import { metrics } from './plugins/metrics.ts';
import { openapi } from './plugins/openapi.ts';
import { answerProblem, problems } from './plugins/problems.ts';
import { routes } from './routes.ts';

// ajv-formats is CommonJS: its function is the module's default.
const formats = formatsModule.default;
// Nothing is taken out, filled in or converted silently in a body; query strings are text, so there it is.
const strict = formats(new Ajv({ strict: false, allErrors: false, discriminator: true }));
const coercing = formats(new Ajv({ strict: false, allErrors: false, coerceTypes: 'array', useDefaults: true }));

/** The API over its dependencies, not listening yet: tests use `inject`, `main.ts` listens. */
export async function buildApp(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.logger, logController: new LogController({ disableRequestLogging: true }), bodyLimit: deps.bodyLimit ?? 1_048_576, genReqId: () => uuidv7(),
    routerOptions: { maxParamLength: 200 }, frameworkErrors: (error, request, reply) => { void answerProblem(error, request, reply); },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema));
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
