import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { endPromotion } from '../../db/promotions/end.ts';
import { issueCoupons, revokeCoupons } from '../../db/promotions/issue-coupons.ts';
import { activatePromotion, putPromotion } from '../../db/promotions/put.ts';
import { listPromotions, listRedemptions, promotionEvents, promotionId, readPromotion } from '../../db/promotions/read.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { PromotionInput } from '../../domain/promotion/model.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, openResponses, Timestamp } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { CouponBody, EndBody, PromotionBody } from './schema.ts';

const tags = ['promotions'];
const params = Type.Object({ code: Code });
const response = openResponses;
const write = { scope: 'network:write' } as const;
const readScope = { scope: 'network:read' } as const;

/** Promotions and their coupons: what is live is decided by windows alone. */
export const promotionRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, writer, vault } }) => {
  app.addHook('onRequest', headOffice);
  const read = (code: string) => readPromotion(pool, code, writer.clock());

  app.put('/v1/promotions/:code', {
    config: write,
    schema: {
      summary: 'Write a promotion', tags, params, body: PromotionBody, response,
      description: 'A new one, or another version. The same again changes nothing. With `status: active` customers get it inside its window; one that has begun changes its end, budget and limits only. 409 with `other` where another promotion stands in the way.',
    },
  }, async (request) => {
    await writer.change((tx) => putPromotion(tx, network, { ...(request.body as Omit<PromotionInput, 'code'>), code: request.params.code } as PromotionInput, actorOf(request.apiKey)));
    await network.promotions.reload();
    return read(request.params.code);
  });

  app.get('/v1/promotions', {
    config: readScope,
    schema: { summary: 'List promotions, the newest first', tags, response, querystring: Type.Object({ ...paging, liveAt: Type.Optional(Timestamp) }, { additionalProperties: false }) },
  }, async (request) => {
    const { after, limit = 50, liveAt } = request.query;
    const items = await listPromotions(pool, writer.clock(), { before: cursor('prm', after), limit, liveAt: liveAt === undefined ? null : new Date(liveAt) });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });

  app.get('/v1/promotions/:code', { config: readScope, schema: { summary: 'Read a promotion and its timeline', tags, params, response } }, async (request) => {
    const promotion = await read(request.params.code);
    return { ...promotion, events: await promotionEvents(pool, decodeId('prm', promotion.id) ?? '') };
  });

  app.post('/v1/promotions/:code/activate', {
    config: write, schema: { summary: 'Activate a draft', tags, params, response, description: 'Checked as when it is written. Again: no change.' },
  }, async (request) => {
    const id = await promotionId(pool, request.params.code);
    await writer.change((tx) => activatePromotion(tx, network, id, actorOf(request.apiKey)));
    await network.promotions.reload();
    return read(request.params.code);
  });

  app.post('/v1/promotions/:code/end', {
    config: write,
    schema: { summary: 'End a promotion', tags, params, body: EndBody, response, description: 'At `at` (now or later; left out: now). A draft is withdrawn. An earlier end stands; an end is never taken back.' },
  }, async (request) => {
    const id = await promotionId(pool, request.params.code);
    const { at, reason } = request.body as { at?: string; reason?: string };
    await writer.change(async (tx) => {
      const moment = at === undefined ? tx.now : new Date(at);
      if (moment < tx.now) throw new Problem('unprocessable', 'an end in the past would take from orders what they were given: leave `at` out to end it now', '/at');
      await endPromotion(tx, id, moment, actorOf(request.apiKey), reason ?? null);
    });
    await network.promotions.reload();
    return read(request.params.code);
  });

  app.post('/v1/promotions/:code/coupons', {
    config: write,
    schema: { summary: 'Issue coupons', tags, params, body: CouponBody, response, description: 'Single-use codes, for whoever has them (`count`) or one for each buyer. One `batch` is issued once: again it answers the same codes.' },
  }, async (request, reply) => {
    const id = await promotionId(pool, request.params.code);
    const { batch, count, buyers } = request.body as { batch: string; count?: number; buyers?: { phone?: string; email?: string }[] };
    if ((count === undefined) === (buyers === undefined)) throw new Problem('invalid', 'say count or buyers, one of them', '/count');
    const made = await writer.change(async (tx) => {
      if (count !== undefined) return issueCoupons(tx, vault, id, { batch, count });
      const persons = await vault.persons(tx.client, (buyers ?? []).map((b) => vault.hash('buyer', b.phone ?? b.email ?? '')));
      return issueCoupons(tx, vault, id, { batch, persons: persons.map((p) => p.id) });
    });
    return reply.code(201).send({ batch, coupons: made.map((m) => ({ id: encodeId('cpn', m.id), code: m.code })) });
  });

  app.post('/v1/promotions/:code/coupons/revoke', {
    config: write, schema: { summary: 'Revoke coupons that nobody has used', tags, params, body: Type.Object({ batch: Type.Optional(Code) }, { additionalProperties: false }), response },
  }, async (request) => {
    const id = await promotionId(pool, request.params.code);
    return { revoked: await writer.change((tx) => revokeCoupons(tx, id, request.body.batch ?? null)) };
  });

  app.get('/v1/promotions/:code/redemptions', {
    config: readScope, schema: { summary: 'List the orders that got a promotion, the newest first', tags, params, querystring: Type.Object(paging, { additionalProperties: false }), response },
  }, async (request) => {
    const { after, limit = 50 } = request.query;
    const items = await listRedemptions(pool, await promotionId(pool, request.params.code), cursor('ord', after), limit);
    return { items, next: items.length === limit ? items.at(-1)?.order ?? null : null };
  });
  return Promise.resolve();
};
