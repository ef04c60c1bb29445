import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { endExceptions } from '../../db/carriers/exceptions.ts';
import { exceptionUuid } from '../../db/carriers/exception-id.ts';
import { listTrackingRules, putTrackingRule } from '../../db/carriers/rules.ts';
import { lockOrder } from '../../db/orders/order.ts';
import { listExceptions, readException } from '../../db/read/parcel-exceptions.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { problemResponses } from '../schemas/common.ts';
import { CloseBody, ExceptionParams, ExceptionQuery, ExceptionsView, ExceptionView, RuleBody, RuleParams, RulesView } from './schema.ts';

const tags = ['carriers'];

/** Parcels that somebody must look at, and the rules that say when. */
export const exceptionRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, writer, network } }) => {
  app.get('/v1/parcel-exceptions', {
    config: { scope: 'orders:read' },
    schema: { summary: 'List lost, stuck and returned parcels', tags, querystring: ExceptionQuery, response: { 200: ExceptionsView, ...problemResponses }, description: 'Oldest first, open ones unless asked otherwise. A key bound to a location sees its own orders\'.' },
  }, (request) => {
    const { kind = null, carrier = null, open = true, after: cursor, limit = 50 } = request.query;
    const after = cursor === undefined ? null : exceptionUuid(cursor);
    if (cursor !== undefined && after === null) throw new Problem('invalid', 'after must be the `next` of an earlier page of this list', '/querystring/after');
    return listExceptions(pool, { kind, carrier, open, after, limit, onlyLocation: request.apiKey.locationId });
  });

  app.post('/v1/parcel-exceptions/:id/close', {
    config: { scope: 'orders:operate' },
    schema: { summary: 'Somebody has looked at it', tags, params: ExceptionParams, body: CloseBody, response: { 200: ExceptionView, ...problemResponses }, description: 'One that is over stays as it is.' },
  }, async (request) => {
    const { params: { id }, apiKey, body: { outcome } } = request;
    const { parcelId, orderId, kind } = await readException(pool, id, apiKey.locationId);
    await writer.change(async (tx) => {
      await lockOrder(tx, orderId);
      const open = await tx.one('select 1 from parcel_exceptions where id = $1 and closed_at is null', [exceptionUuid(id)]);
      if (open) await endExceptions(tx, orderId, parcelId, [kind], outcome, actorOf(apiKey));
    });
    const { parcelId: _p, orderId: _o, ...view } = await readException(pool, id, apiKey.locationId);
    return view;
  });

  app.get('/v1/tracking-rules', { config: { scope: 'network:read' }, schema: { summary: 'When silence of a parcel is an exception', tags, response: { 200: RulesView, ...problemResponses } } },
    async () => ({ items: await listTrackingRules(pool) }));

  app.put('/v1/tracking-rules/:carrier', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: { summary: 'Say when silence of a carrier\'s parcels is an exception', tags, params: RuleParams, body: RuleBody, response: { 200: Type.Unknown(), ...problemResponses } },
  }, async (request) => {
    const { carrier } = request.params;
    if (carrier !== 'default' && !network.carriers.has(carrier)) throw new Problem('unknown_carrier', `carrier "${carrier}" is not known; make it first with PUT /v1/carriers/${carrier}`, '/carrier');
    const { pickupHours = null, stuckHours = null, lostHours = null, returned = true } = request.body;
    await putTrackingRule(pool, carrier, { pickupHours, stuckHours, lostHours, returned }, actorOf(request.apiKey), writer.clock());
    return (await listTrackingRules(pool)).find((r) => r.carrier === carrier);
  });
  return Promise.resolve();
};
