import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listLanes, listReorderRules, listVendors, putLanes, putReorderRules, putVendor, type LaneView, type VendorRequest } from '../../db/replenishment/catalog.ts';
import { listForecasts } from '../../db/replenishment/forecasts.ts';
import { listPlans, listProposals, listSites } from '../../db/replenishment/read.ts';
import { listScopes, planNow, putScope, type ScopeRequest } from '../../db/replenishment/scopes.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { Code, OneOf, openResponses } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { LanesBody, RulesBody, ScopeBody, VendorBody } from './schema.ts';

const tags = ['replenishment'];
const params = Type.Object({ code: Code });
const read = { scope: 'stock:read' } as const;
const write = { scope: 'network:write' } as const;
const response = openResponses;
const pairPaging = { ...paging, after: Type.Optional(Type.String({ pattern: '^\\d{1,9}-\\d{1,9}$', description: 'the cursor: `next` of the page before' })) };
const pairOf = (after: string | undefined): { skuId: number; locationId: number } | null => {
  const [skuId, locationId] = (after ?? '').split('-').map(Number);
  return skuId === undefined || locationId === undefined ? null : { skuId, locationId };
};
const nextOf = (last: { skuId: number; locationId: number } | null): string | null => (last === null ? null : `${last.skuId}-${last.locationId}`);

/** Planning of stock: policy, what is forecast, what was planned and why. The head office's; keys of a location see what concerns it. */
export const replenishmentRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, writer } }) => {
  app.addHook('onRequest', headOffice);
  const locationId = (code: string, field: string): number => {
    const location = network.locations.get(code);
    if (!location) throw new Problem('unknown_location', `location "${code}" is not known`, field);
    return location.id;
  };
  /** The one that is asked for; of a key that is bound to a location, its own. */
  const seen = (code: string | undefined, only: number | null): number | null => {
    const asked = code === undefined ? null : locationId(code, '/querystring/location');
    if (only !== null && asked !== null && asked !== only) throw new Problem('not_found', `location "${code ?? ''}" does not exist`);
    return only ?? asked;
  };
  const skuId = async (code: string | undefined): Promise<number | null> => {
    if (code === undefined) return null;
    await network.loadSkus([code]);
    const sku = network.knownSku(code);
    if (!sku) throw new Problem('unknown_sku', `SKU "${code}" is not known`, '/querystring/sku');
    return sku.id;
  };
  const one = <T>(items: readonly T[], what: string): T => {
    if (!items[0]) throw new Problem('not_found', `${what} does not exist`);
    return items[0];
  };

  app.put('/v1/replenishment/scopes/:code', {
    config: write,
    schema: { summary: 'Make or change what is planned together', tags, params, body: ScopeBody, response, description: 'Its workflow `replenishment/<scope>` looks at once: forecasts, then a plan of everything. No SKU × location may be in two active scopes.' },
  }, async (request) => {
    await putScope(writer, network, request.params.code, request.body as ScopeRequest);
    return one(await listScopes(pool, network, request.params.code), 'the scope');
  });
  app.get('/v1/replenishment/scopes', { config: read, schema: { summary: 'List scopes', tags, response } }, async () => ({ items: await listScopes(pool, network) }));
  app.get('/v1/replenishment/scopes/:code', { config: read, schema: { summary: 'Read a scope', tags, params, response } }, async (request) => one(await listScopes(pool, network, request.params.code), `scope "${request.params.code}"`));
  app.post('/v1/replenishment/scopes/:code/plan', { config: write, schema: { summary: 'Plan everything now', tags, params, response, description: 'What is under way already counts: safe to repeat.' } }, async (request) => {
    await planNow(writer, request.params.code);
    return one(await listScopes(pool, network, request.params.code), 'the scope');
  });

  app.put('/v1/replenishment/lanes', { config: write, schema: { summary: 'How units get from one location to another', tags, body: LanesBody, response, description: 'In place of the lanes there were.' } }, async (request) => {
    await putLanes(writer, network, request.body.lanes as LaneView[]);
    return { items: await listLanes(pool) };
  });
  app.get('/v1/replenishment/lanes', { config: read, schema: { summary: 'List lanes', tags, response } }, async () => ({ items: await listLanes(pool) }));

  app.put('/v1/vendors/:code', { config: write, schema: { summary: 'Make or change a vendor and its terms', tags, params, body: VendorBody, response } }, async (request) => {
    await putVendor(writer, network, request.params.code, request.body as VendorRequest);
    return one(await listVendors(pool, request.params.code), 'the vendor');
  });
  app.get('/v1/vendors', { config: read, schema: { summary: 'List vendors with their terms', tags, response } }, async () => ({ items: await listVendors(pool) }));
  app.get('/v1/vendors/:code', { config: read, schema: { summary: 'Read a vendor with its terms', tags, params, response } }, async (request) => one(await listVendors(pool, request.params.code), `vendor "${request.params.code}"`));

  app.put('/v1/locations/:code/reorder-rules', { config: write, schema: { summary: 'Levels by hand', tags, params, body: RulesBody, response, description: 'In place of those there were; they count instead of what is computed, at once.' } }, async (request) => {
    const id = locationId(request.params.code, '/params/code');
    await putReorderRules(writer, network, id, request.body.rules);
    return { items: await listReorderRules(pool, id) };
  });
  app.get('/v1/locations/:code/reorder-rules', { config: read, schema: { summary: 'List levels by hand', tags, params, response } }, async (request) => {
    const id = network.locations.get(request.params.code)?.id;
    if (id === undefined || (request.apiKey.locationId !== null && request.apiKey.locationId !== id)) throw new Problem('not_found', `location "${request.params.code}" does not exist`);
    return { items: await listReorderRules(pool, id) };
  });

  app.get('/v1/replenishment/plans', { config: read, schema: { summary: 'List plans, the newest first', tags, response, querystring: Type.Object({ scope: Type.Optional(Code), ...paging }, { additionalProperties: false }) } }, async (request) => {
    const { scope = null, after, limit = 50 } = request.query;
    const items = await listPlans(pool, { scope, before: cursor('rpl', after), limit });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });
  app.get('/v1/replenishment/proposals', {
    config: read,
    schema: {
      summary: 'List what plans want, and why', tags, response, description: 'The newest first: each transfer and purchase order with what giver and taker looked like, and what became of it.',
      querystring: Type.Object({ scope: Type.Optional(Code), status: Type.Optional(OneOf(['planned', 'done', 'failed'])), kind: Type.Optional(OneOf(['transfer', 'purchase'])), sku: Type.Optional(Code), location: Type.Optional(Code), ...paging }, { additionalProperties: false }),
    },
  }, async (request) => {
    const { scope = null, status = null, kind = null, sku, location, after, limit = 50 } = request.query;
    const items = await listProposals(pool, network, { scope, status, kind, sku: await skuId(sku), location: seen(location, request.apiKey.locationId), before: cursor('rpl', after), limit });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });
  app.get('/v1/replenishment/proposals/:id', { config: read, schema: { summary: 'Explain a proposal', tags, params: Type.Object({ id: Type.String({ maxLength: 64 }) }), response } }, async (request) => {
    const id = decodeId('rpl', request.params.id);
    const filter = { scope: null, status: null, kind: null, sku: null, location: request.apiKey.locationId, before: null, limit: 1 };
    return one(id === null ? [] : await listProposals(pool, network, filter, id), `proposal "${request.params.id}"`);
  });
  app.get('/v1/replenishment/sites', {
    config: read,
    schema: {
      summary: 'What the last plan found of each SKU at each location', tags, response,
      querystring: Type.Object({ sku: Type.Optional(Code), location: Type.Optional(Code), unmet: Type.Optional(Type.Boolean({ description: 'only those that stay below their level' })), ...pairPaging }, { additionalProperties: false }),
    },
  }, async (request) => {
    const { sku, location, unmet = false, after, limit = 50 } = request.query;
    const { items, last } = await listSites(pool, network, { sku: await skuId(sku), location: seen(location, request.apiKey.locationId), unmet, after: pairOf(after), limit });
    return { items, next: nextOf(last) };
  });
  app.get('/v1/forecasts', {
    config: read,
    schema: {
      summary: 'List stored forecasts', tags, response, description: 'Of each SKU at each location, made anew each week by the method that would have cost least; quantiles .1 .25 .5 .75 .9 .95 of the coming weeks.',
      querystring: Type.Object({ sku: Type.Optional(Code), location: Type.Optional(Code), ...pairPaging }, { additionalProperties: false }),
    },
  }, async (request) => {
    const { sku, location, after, limit = 50 } = request.query;
    const { items, last } = await listForecasts(pool, { sku: await skuId(sku), location: seen(location, request.apiKey.locationId), after: pairOf(after), limit });
    return { items, next: nextOf(last) };
  });
  return Promise.resolve();
};
