import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { onRequestHookHandler } from 'fastify';
import { listDeclarations, readDeclaration } from '../../db/declarations/burn-down.ts';
import { giveBack, topUp, type UnitsRequest } from '../../db/declarations/change-units.ts';
import { declare, type DeclareRequest } from '../../db/declarations/declare.ts';
import { cancelDeclaration, endEarly } from '../../db/declarations/end.ts';
import { setPolicy, type DeclarationPolicy } from '../../db/declarations/policy.ts';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, openResponses } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { eventRoutes } from './events.ts';
import { Because, Declare, Policy, STATUSES, Units } from './schema.ts';

const tags = ['declarations'];
const params = Type.Object({ code: Code });

/** Sessions take stock of many locations: a key bound to one neither sees nor changes them. */
const headOffice: onRequestHookHandler = (request, _reply, done) => {
  const bound = request.apiKey.locationId !== null || request.apiKey.carrier !== null;
  done(bound ? new Problem('not_found', 'this key is bound to a location or carrier: declarations are the head office\'s') : undefined);
};

export const declarationRoutes: FastifyPluginAsyncTypebox<ApiDeps> = async (app, deps) => {
  const { writer, network, pool } = deps.store;
  app.addHook('onRequest', headOffice);
  await app.register(eventRoutes, deps);

  app.post('/v1/declarations', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Declare a session', tags, body: Declare, response: openResponses,
      description: 'Sets units apart for a live stream, influencer or group buy, from locations and supplies: all of them or none. The answer is the contract: firm and soft quantity per SKU and source, with confidence. Idempotent by `code`; orders name the session by it (`session`).',
    },
  }, async (request, reply) => reply.code(201).send(await declare(writer, network, request.body as DeclareRequest, actorOf(request.apiKey))));

  app.get('/v1/declarations', {
    config: { scope: 'stock:read' },
    schema: { summary: 'List sessions', tags, response: openResponses, querystring: Type.Object({ ...paging, status: Type.Optional(OneOf(STATUSES)), channel: Type.Optional(Code) }) },
  }, async (request) => {
    const { after, limit = 50, status = null, channel = null } = request.query;
    const rows = await listDeclarations(pool, { status, channel, before: cursor('dec', after), limit });
    const last = rows.at(-1);
    return { items: rows.map(({ id: _id, ...row }) => row), next: rows.length === limit && last ? encodeId('dec', last.id) : null };
  });

  app.get('/v1/declarations/:code', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'Read a session', tags, params, response: openResponses,
      description: 'The live burn-down per SKU (declared, sold, cancelled, free; firm and soft) at the moment `at`, the contract, and the settlement report once it has been written.',
    },
  }, (request) => readDeclaration(pool, request.params.code, writer.clock()));

  const units = { summary: 'Add units to a session', tags, params, body: Units, response: openResponses, description: 'While it is declared or live; all or nothing. Idempotent by `reference`.' };
  app.post('/v1/declarations/:code/top-ups', { config: { scope: 'stock:write' }, schema: units }, (request) => topUp(writer, network, request.params.code, request.body as UnitsRequest));

  app.post('/v1/declarations/:code/give-backs', {
    config: { scope: 'stock:write' },
    schema: { ...units, summary: 'Give units of a session back', description: 'Units that no order holds, to where they came from; all or nothing. Idempotent by `reference`.' },
  }, (request) => giveBack(writer, network, request.params.code, request.body as UnitsRequest));

  app.post('/v1/declarations/:code/cancel', {
    config: { scope: 'stock:write' },
    schema: { summary: 'Cancel a session before it begins', tags, params, body: Because, response: openResponses, description: 'All its units go home. Again: no change.' },
  }, async (request) => {
    await cancelDeclaration(writer, request.params.code, request.body.reason);
    return readDeclaration(pool, request.params.code, writer.clock());
  });

  app.post('/v1/declarations/:code/end', {
    config: { scope: 'stock:write' },
    schema: { summary: 'End a live session early', tags, params, body: Because, response: openResponses, description: 'Unsold units go home at once; the settlement follows. Again: no change.' },
  }, async (request) => {
    await endEarly(writer, request.params.code, request.body.reason);
    return readDeclaration(pool, request.params.code, writer.clock());
  });

  app.put('/v1/declaration-policy', {
    config: { scope: 'stock:write' },
    schema: {
      summary: 'Set what contracts reckon with', tags, body: Policy, response: openResponses,
      description: 'The confidence of locations that were never counted and of supplies, and how long after its end a session waits for payments. For declarations from now on.',
    },
  }, (request) => setPolicy(writer, request.body as DeclarationPolicy));
};
