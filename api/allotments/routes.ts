import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { onRequestHookHandler } from 'fastify';
import { closeAllotment } from '../../db/stock/allotments/close.ts';
import { listAllotments, readAllotment } from '../../db/stock/allotments/figures.ts';
import { moveByHand, type MoveOrder } from '../../db/stock/allotments/move-by-hand.ts';
import { putAllotment, type AllotmentInput } from '../../db/stock/allotments/put-allotment.ts';
import { reallocateAllotment } from '../../db/stock/allotments/reallocate.ts';
import { putTargets, type TargetInput } from '../../db/stock/allotments/targets.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, OneOf, openResponses, problemResponses } from '../schemas/common.ts';
import { AllotmentBody, AllotmentDetail, AllotmentList, MovesBody, ReallocateBody, TargetsBody } from './schema.ts';

const tags = ['allotments'];
const params = Type.Object({ code: Code });
const read = { scope: 'stock:read' } as const;
const write = { scope: 'stock:write' } as const;
const FIGURES = { after: Type.String({ maxLength: 64, default: '' }), limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) };

/** Who gets what is the head office's decision; a key bound to a location or carrier may only look. */
const headOffice: onRequestHookHandler = (request, _reply, done) => {
  const bound = request.apiKey.locationId !== null || request.apiKey.carrier !== null;
  done(bound && request.routeOptions.config.scope === 'stock:write' ? new Problem('forbidden', 'this key is bound to a location or carrier and cannot allot stock') : undefined);
};

/** Allotments: units set apart from the shared stock for groups of channels, channels and campaigns. */
export const allotmentRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, pool, writer } = store;
  app.addHook('onRequest', headOffice);

  const detail = async (code: string, locationId: number | null, page: { after: string; limit: number }) => {
    const found = await readAllotment(pool, code, { locationId, ...page });
    if (!found) throw new Problem('not_found', `allotment "${code}" does not exist`);
    return { ...found, next: found.skus.length === page.limit ? found.skus.at(-1)?.sku ?? null : null };
  };

  app.get('/v1/allotments', {
    config: read,
    schema: {
      summary: 'List allotments', tags, response: { 200: AllotmentList, ...problemResponses },
      querystring: Type.Object({
        parent: Type.Optional(Code), kind: Type.Optional(OneOf(['group', 'channel', 'campaign', 'declaration'])), open: Type.Optional(Type.Boolean()),
        after: Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: 0 }), limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
      }),
    },
  }, async (request) => {
    const { parent = null, kind = null, open = null, after, limit } = request.query;
    const rows = await listAllotments(pool, { parent, kind, open, after, limit });
    return { items: rows.map(({ id: _id, ...r }) => r), next: rows.length === limit ? rows.at(-1)?.id ?? null : null };
  });
  app.get('/v1/allotments/:code', {
    config: read,
    schema: { summary: 'Read an allotment with its targets and its figures by SKU', tags, params, querystring: Type.Object(FIGURES), response: { 200: AllotmentDetail, ...problemResponses } },
  }, (request) => detail(request.params.code, request.apiKey.locationId, request.query));
  app.put('/v1/allotments/:code', {
    config: write,
    schema: {
      summary: 'Make or change an allotment', tags, params, body: AllotmentBody, response: openResponses,
      description: 'Units come by moves and reallocations. `conflict`: it would stand under itself, its parent is closed, the channel has an open one already, or it is closed itself.',
    },
  }, async (request, reply) => {
    const { created } = await putAllotment(writer, request.params.code, request.body as AllotmentInput);
    await network.reload();
    return reply.code(created ? 201 : 200).send(await detail(request.params.code, null, { after: '', limit: 100 }));
  });
  app.post('/v1/allotments/:code/close', {
    config: write,
    schema: {
      summary: 'Close an allotment', tags, params, response: openResponses,
      description: 'Free units go to its nearest open parent at once (`home`). Those that orders have (`reserved`) stay until they are issued or released, and go home within seconds of that. Safe to repeat.',
    },
  }, async (request) => {
    const answer = await closeAllotment(writer, request.params.code);
    await network.reload();
    return answer;
  });
  app.put('/v1/allotments/:code/targets', {
    config: write,
    schema: {
      summary: 'Set what an allotment should have', tags, params, body: TargetsBody, response: openResponses,
      description: 'In place of all earlier targets. At a location the most specific one counts: this SKU here, this SKU, here, any. Nothing moves before the next reallocation. Shares of one parent\'s stock may not exceed 100 %.',
    },
  }, async (request) => {
    await putTargets(writer, network, request.params.code, request.body.targets as TargetInput[]);
    return { code: request.params.code, targets: request.body.targets };
  });
  app.post('/v1/allotments/:code/reallocate', {
    config: write,
    schema: {
      summary: 'Meet the targets', tags, params, body: ReallocateBody, response: openResponses,
      description: 'Idempotent by reference. Moves free units between the allotment and its nearest open parent; reserved ones and the parent\'s buffers stay. By SKU: `wanted` units, `moved` into it (negative: back), and `short` units that are not there to be moved.',
    },
  }, (request) => reallocateAllotment(writer, request.params.code, request.body.reference));
  app.post('/v1/allotments/:code/moves', {
    config: write,
    schema: {
      summary: 'Move units by hand', tags, params, body: MovesBody, response: openResponses,
      description: 'Idempotent by reference; all lines or none. `insufficient_stock` names the line for which there are not enough free units (`free` says how many). Units moved back pay back what was borrowed.',
    },
  }, (request) => moveByHand(writer, network, request.params.code, request.body as MoveOrder));
  return Promise.resolve();
};
