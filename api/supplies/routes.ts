import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { onRequestHookHandler } from 'fastify';
import { announceSupply, type SupplyRequest } from '../../db/stock/supplies/announce.ts';
import { cancelSupply } from '../../db/stock/supplies/cancel.ts';
import { changeSupplyDate } from '../../db/stock/supplies/change-date.ts';
import { listSupplies, readSupply } from '../../db/stock/supplies/read.ts';
import { receiveSupply, type SupplyReceipt } from '../../db/stock/supplies/receive.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, problemResponses } from '../schemas/common.ts';
import { CancelAnswerSchema, DateAnswerSchema, DateBody, ReceiptAnswerSchema, ReceiptBody, SupplyAnswerSchema, SupplyBody, SupplyDetailSchema, SupplyList } from './schema.ts';

const tags = ['supplies'];
const params = Type.Object({ reference: Code });
const write = { scope: 'stock:write' } as const;
const read = { scope: 'stock:read' } as const;

const headOffice: onRequestHookHandler = (request, _reply, done) => {
  done(request.apiKey.locationId === null ? undefined : new Problem('forbidden', 'this key is bound to a location: it may book in what comes there, no more'));
};

/** Stock that is on its way: announced, promised, received. */
export const supplyRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, writer, pool } }) => {
  app.post('/v1/supplies', {
    config: write, onRequest: headOffice,
    schema: {
      summary: 'Announce units that will come', tags, body: SupplyBody, response: { 200: SupplyAnswerSchema, ...problemResponses },
      description: 'A transfer, purchase order or return with a date. Channels whose supply horizon reaches that far sell it from this commit on; their orders that wait for the SKUs come first.',
    },
  }, (request) => announceSupply(writer, network, request.body as SupplyRequest, actorOf(request.apiKey)));

  app.get('/v1/supplies', {
    config: read,
    schema: {
      summary: 'List supplies', tags, response: { 200: SupplyList, ...problemResponses },
      querystring: Type.Object({
        status: Type.Optional(OneOf(['open', 'received', 'cancelled'])), location: Type.Optional(Code),
        after: Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: 0 }), limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
      }, { additionalProperties: false }),
    },
  }, (request) => {
    const { status = null, location, after, limit } = request.query;
    const at = location === undefined ? null : network.locations.get(location);
    if (at === undefined) throw new Problem('unknown_location', `location "${location ?? ''}" is not known`, '/querystring/location');
    return listSupplies(pool, { status, location: at?.id ?? null, after, limit, onlyLocation: request.apiKey.locationId });
  });
  app.get('/v1/supplies/:reference', {
    config: read, schema: { summary: 'Read a supply: what is still to come, and who waits for it', tags, params, response: { 200: SupplyDetailSchema, ...problemResponses } },
  }, (request) => readSupply(pool, request.params.reference, request.apiKey.locationId));

  app.patch('/v1/supplies/:reference', {
    config: write, onRequest: headOffice,
    schema: {
      summary: 'Give a supply another date', tags, params, body: DateBody, response: { 200: DateAnswerSchema, ...problemResponses },
      description: 'Orders that a later date would make late get other units that are there or come by the old date, the first promised first; who finds none is told (`supply.late` on its timeline).',
    },
  }, (request) => changeSupplyDate(writer, network, request.params.reference, request.body, actorOf(request.apiKey)));

  app.post('/v1/supplies/:reference/receipts', {
    config: write,
    schema: {
      summary: 'Book in what came of a supply', tags, params, body: ReceiptBody, response: { 200: ReceiptAnswerSchema, ...problemResponses },
      description: 'Idempotent by the receipt\'s reference. Reserved units come first, the first promised before the others; their orders go on at once. `final`, or when nothing is left to come: what is missing is a variance, and the youngest orders on it are short.',
    },
  }, (request) => receiveSupply(writer, network, request.params.reference, request.body as SupplyReceipt, { actor: actorOf(request.apiKey), onlyLocation: request.apiKey.locationId }));

  app.post('/v1/supplies/:reference/cancel', {
    config: write, onRequest: headOffice,
    schema: {
      summary: 'A supply does not come', tags, params, response: { 200: CancelAnswerSchema, ...problemResponses },
      description: 'Its orders get other units where there are some in time, else they are short. The units of a transfer are the sender\'s again.',
    },
  }, (request) => cancelSupply(writer, network, request.params.reference, actorOf(request.apiKey)));
  return Promise.resolve();
};
