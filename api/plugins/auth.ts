import fp from 'fastify-plugin';
import { hashApiKey, type Scope } from '../../db/api-keys.ts';
import type { ApiKey, Network } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';

declare module 'fastify' {
  interface FastifyRequest { apiKey: ApiKey }
  interface FastifyContextConfig { scope?: Scope | 'public' }
}

/** Every route names its scope, or `public`; one that names none keeps the API from starting. */
export const auth = fp<{ network: Network }>((app, { network }, done) => {
  app.decorateRequest('apiKey', null as unknown as ApiKey);
  app.addHook('onRoute', (route) => {
    if (route.config?.scope === undefined && !route.url.startsWith('/docs') && route.method !== 'HEAD') throw new Error(`route ${String(route.method)} ${route.url} names no scope`);
  });
  app.addHook('onRequest', (request, _reply, next) => {
    const scope = request.routeOptions.config.scope;
    // Unknown paths and the docs' own files hold nothing to protect.
    if (scope === 'public' || scope === undefined) return next();
    const token = /^Bearer +([\w-]{8,200})$/i.exec(request.headers.authorization ?? '')?.[1];
    const key = token === undefined ? undefined : network.apiKeys.get(hashApiKey(token));
    if (!key) return next(new Problem('unauthenticated', 'send "Authorization: Bearer KEY" with a key that is valid', '/headers/Authorization'));
    if (!key.scopes.has(scope)) return next(new Problem('forbidden', `this key lacks the scope ${scope}`));
    request.apiKey = key;
    next();
  });
  done();
}, { name: 'auth' });

/** Who a request acts as, for timelines: the key's name, never a person. */
export function actorOf(key: ApiKey): string { return `key:${key.name}`; }
