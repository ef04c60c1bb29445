import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { SupplyReceipt } from '../../db/stock/supplies/receive.ts';
import { approveTransfer } from '../../db/transfers/approve.ts';
import { cancelTransfer } from '../../db/transfers/cancel.ts';
import { createTransfer, type TransferRequest } from '../../db/transfers/create.ts';
import { setTransferPolicy, type TransferPolicy } from '../../db/transfers/policy.ts';
import { listTransfers, readTransfer } from '../../db/transfers/read.ts';
import { receiveTransfer } from '../../db/transfers/receive.ts';
import { pickTransfer, shipTransfer, type PickedLine, type ShipRequest } from '../../db/transfers/ship.ts';
import { transferUuid, type Who } from '../../db/transfers/transfer.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import { TRANSFER_STATUSES } from '../../domain/transfer/flow.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, openResponses, Reason } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { ReceiptBody } from '../supplies/schema.ts';
import { PickBody, PolicyBody, ShipBody, TransferBody } from './schema.ts';

const tags = ['transfers'];
const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const write = { scope: 'stock:write' } as const;
const response = openResponses;

/** Transfers between locations: proposed, approved, picked, on their way, received. A key that is bound to a location takes its own part only. */
export const transferRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, writer, pool } }) => {
  const whoOf = (request: { apiKey: Parameters<typeof actorOf>[0] & { locationId: number | null } }): Who => ({ actor: actorOf(request.apiKey), onlyLocation: request.apiKey.locationId });

  app.post('/v1/transfers', {
    config: write,
    schema: {
      summary: 'Propose a transfer', tags, body: TransferBody, response,
      description: 'Sellable units from one location to another. With `approve` they are set aside at the sender in this commit, or nothing happens. A location\'s own key may propose what is to come to it. Idempotent by `reference`.',
    },
  }, async (request, reply) => reply.code(201).send(await createTransfer(writer, network, request.body as TransferRequest, whoOf(request))));

  app.get('/v1/transfers', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'List transfers, the newest first', tags, response,
      querystring: Type.Object({ ...paging, status: Type.Optional(OneOf(TRANSFER_STATUSES)), from: Type.Optional(Code), to: Type.Optional(Code), order: Type.Optional(Type.String({ maxLength: 64 })) }, { additionalProperties: false }),
    },
  }, async (request) => {
    const { after, limit = 50, status = null, from, to, order } = request.query;
    const locationId = (code: string | undefined, field: string): number | null => {
      if (code === undefined) return null;
      const location = network.locations.get(code);
      if (!location) throw new Problem('unknown_location', `location "${code}" is not known`, `/querystring/${field}`);
      return location.id;
    };
    const orderId = order === undefined ? null : decodeId('ord', order);
    if (order !== undefined && orderId === null) throw new Problem('invalid', 'order must be an id of an order', '/querystring/order');
    const items = await listTransfers(pool, { status, from: locationId(from, 'from'), to: locationId(to, 'to'), orderId, before: cursor('trf', after), limit, onlyLocation: request.apiKey.locationId });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });

  const read = (id: string, who: Who) => readTransfer(pool, transferUuid(id), who.onlyLocation);
  app.get('/v1/transfers/:id', { config: { scope: 'stock:read' }, schema: { summary: 'Read a transfer, its variances and timeline', tags, params, response } }, (request) => read(request.params.id, whoOf(request)));

  app.post('/v1/transfers/:id/approve', {
    config: write, schema: { summary: 'Approve a transfer', tags, params, response, description: 'Its units are set aside at the sender: nobody else can sell them. Again: no change.' },
  }, async (request) => {
    await approveTransfer(writer, transferUuid(request.params.id), whoOf(request));
    return read(request.params.id, whoOf(request));
  });

  app.post('/v1/transfers/:id/pick', {
    config: write, schema: { summary: 'Pick a transfer', tags, params, body: PickBody, response, description: 'The sender picks, and says what it found. Again: the figures are replaced.' },
  }, async (request) => {
    await pickTransfer(writer, transferUuid(request.params.id), (request.body as { lines?: PickedLine[] }).lines ?? null, whoOf(request));
    return read(request.params.id, whoOf(request));
  });

  app.post('/v1/transfers/:id/ship', {
    config: write,
    schema: {
      summary: 'A transfer leaves', tags, params, body: ShipBody, response,
      description: 'Its units become a supply of the receiver with a date, sellable from this commit on; what is not sent is the sender\'s again. Again with the same body: the same answer.',
    },
  }, (request) => shipTransfer(writer, transferUuid(request.params.id), request.body as ShipRequest, whoOf(request)));

  app.post('/v1/transfers/:id/receipts', {
    config: write,
    schema: {
      summary: 'Book in what came of a transfer', tags, params, body: ReceiptBody, response,
      description: 'Once for each receipt\'s reference. Orders\' units come first. `final`, or when nothing is left to come: what is missing is a variance, and the transfer is over.',
    },
  }, (request) => receiveTransfer(writer, network, transferUuid(request.params.id), request.body as SupplyReceipt, whoOf(request)));

  app.post('/v1/transfers/:id/cancel', {
    config: write,
    schema: { summary: 'Cancel a transfer that has not left', tags, params, response, body: Type.Object({ reason: Reason }, { additionalProperties: false }), description: 'Its units are free again at the sender. Again: no change.' },
  }, async (request) => {
    await cancelTransfer(writer, transferUuid(request.params.id), request.body.reason, whoOf(request));
    return read(request.params.id, whoOf(request));
  });

  app.put('/v1/transfer-policy', {
    config: write, schema: { summary: 'Set the dates of transfers', tags, body: PolicyBody, response, description: 'For proposals and approvals from now on.' },
  }, (request) => {
    const policy = request.body as TransferPolicy;
    if (request.apiKey.locationId !== null) throw new Problem('forbidden', 'this key is bound to a location: the head office sets this');
    if (policy.giveUpAfterS <= policy.shipWithinS) throw new Problem('unprocessable', 'units are given up later than they should have left', '/giveUpAfterS');
    return setTransferPolicy(writer, policy);
  });
  return Promise.resolve();
};
