import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { onRequestHookHandler } from 'fastify';
import { extendLease, releaseLease } from '../../db/leases/extend-lease.ts';
import { leaseUuid, readLease } from '../../db/leases/lease.ts';
import { takeLease, type LeaseRequest } from '../../db/leases/take-lease.ts';
import { transferLease } from '../../db/leases/transfer-lease.ts';
import { ownOrderId } from '../../db/read/own-orders.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { problemResponses } from '../schemas/common.ts';
import { ExtensionBody, ReservationBody, ReservationParams, ReservationSchema, TransferBody } from './schema.ts';

const tags = ['reservations'];
const write = { scope: 'stock:write' } as const;
const response = { 200: ReservationSchema, ...problemResponses };

/** A reservation may be of any location's units, so a key bound to one cannot make, see or end any. */
const headOffice: onRequestHookHandler = (request, _reply, done) => {
  const bound = request.apiKey.locationId !== null || request.apiKey.carrier !== null;
  done(bound ? new Problem('forbidden', 'this key is bound to a location or carrier; reservations are of the whole stock') : undefined);
};

/** Units reserved for carts, quotes and partners before there is an order. */
export const reservationRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { writer, pool, network } = store;
  app.addHook('onRequest', headOffice);

  app.post('/v1/reservations', {
    config: write,
    schema: {
      summary: 'Reserve units without an order', tags, body: ReservationBody, response: { 201: ReservationSchema, ...response },
      description: 'From what the channel\'s orders may take and is there. Idempotent by owner and reference: the same body gets the first answer (200), another one 409. What cannot be reserved: 409 `insufficient_stock` with `missing`, and nothing is reserved. After `expiresInS` the units are free again by themselves.',
    },
  }, async (request, reply) => {
    const { lease, repeated } = await takeLease(writer, store, request.body as LeaseRequest, actorOf(request.apiKey));
    return reply.code(repeated ? 200 : 201).header('location', `/v1/reservations/${lease.id}`).send(lease);
  });
  app.get('/v1/reservations/:id', {
    config: { scope: 'stock:read' }, schema: { summary: 'Read a reservation', tags, params: ReservationParams, response },
  }, (request) => readLease(pool, leaseUuid(request.params.id)));
  app.post('/v1/reservations/:id/extension', {
    config: write,
    schema: { summary: 'Keep a reservation longer', tags, params: ReservationParams, body: ExtensionBody, response, description: 'From now on; 409 once it has ended or is due.' },
  }, (request) => extendLease(writer, leaseUuid(request.params.id), request.body.expiresInS));
  app.delete('/v1/reservations/:id', {
    config: write,
    schema: { summary: 'Give a reservation back', tags, params: ReservationParams, response, description: 'Safe to repeat. 409 when an order has its units.' },
  }, (request) => releaseLease(writer, leaseUuid(request.params.id)));
  app.post('/v1/reservations/:id/transfer', {
    config: write,
    schema: {
      summary: 'Give a reservation to an order', tags, params: ReservationParams, body: TransferBody, response,
      description: 'The units serve the order\'s open shortages, then replace its own reservations of the same SKU; the rest goes back to stock. 409 when the order has been routed, is over or of another channel, or wants none of the units. Safe to repeat.',
    },
  }, async (request) => {
    const orderId = await ownOrderId(pool, request.body.order, null);
    return transferLease(writer, network, leaseUuid(request.params.id), orderId, actorOf(request.apiKey));
  });
  return Promise.resolve();
};
