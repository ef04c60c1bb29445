import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { approvePurchase, cancelPurchase, closePurchase, receivePurchase, sendPurchase } from '../../db/purchases/advance.ts';
import { createPurchase, type PurchaseRequest } from '../../db/purchases/create.ts';
import { purchaseUuid, type Who } from '../../db/purchases/purchase.ts';
import { listPurchases, readPurchase } from '../../db/purchases/read.ts';
import type { SupplyReceipt } from '../../db/stock/supplies/receive.ts';
import { Problem } from '../../domain/problem.ts';
import { PURCHASE_STATUSES } from '../../domain/purchase/flow.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Minor, OneOf, openResponses, Quantity, Reason, Text, Timestamp } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { ReceiptBody } from '../supplies/schema.ts';

const tags = ['purchases'];
const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const write = { scope: 'stock:write' } as const;
const response = openResponses;
const PurchaseBody = Type.Object({
  reference: Text(100), vendor: Code, location: Code, note: Type.Optional(Text(500)),
  lines: Type.Array(Type.Object({ sku: Code, quantity: Quantity, unitCost: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'default: the vendor\'s' })) }, { additionalProperties: false }), { minItems: 1, maxItems: 1_000 }),
  approve: Type.Optional(Type.Boolean()), send: Type.Optional(Type.Boolean({ description: 'approved and sent to the vendor at once' })), expectedAt: Type.Optional(Timestamp),
}, { additionalProperties: false });

/** Orders to vendors: proposed, approved, sent, received. A key that is bound to a location reads and receives what comes to it. */
export const purchaseRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, writer, pool } }) => {
  type Request = { apiKey: Parameters<typeof actorOf>[0] & { locationId: number | null } };
  const whoOf = (request: Request): Who => ({ actor: actorOf(request.apiKey), onlyLocation: request.apiKey.locationId });
  const headOffice = (request: Request): Who => {
    if (request.apiKey.locationId !== null) throw new Problem('forbidden', 'this key is bound to a location: the head office orders from vendors');
    return whoOf(request);
  };
  const read = (id: string, who: Who) => readPurchase(pool, purchaseUuid(id), who.onlyLocation);

  app.post('/v1/purchase-orders', {
    config: write, schema: { summary: 'Order from a vendor', tags, body: PurchaseBody, response, description: 'Proposed, unless `approve` or `send` say more. Whole packs and the minimum of the vendor\'s terms. Idempotent by `reference`.' },
  }, async (request, reply) => reply.code(201).send(await createPurchase(writer, network, request.body as PurchaseRequest, headOffice(request))));
  app.get('/v1/purchase-orders', {
    config: { scope: 'stock:read' },
    schema: { summary: 'List purchase orders, the newest first', tags, response, querystring: Type.Object({ status: Type.Optional(OneOf(PURCHASE_STATUSES)), vendor: Type.Optional(Code), location: Type.Optional(Code), ...paging }, { additionalProperties: false }) },
  }, async (request) => {
    const { status = null, vendor = null, location, after, limit = 50 } = request.query;
    const at = location === undefined ? undefined : network.locations.get(location);
    if (location !== undefined && !at) throw new Problem('unknown_location', `location "${location}" is not known`, '/querystring/location');
    if (request.apiKey.locationId !== null && at && at.id !== request.apiKey.locationId) throw new Problem('not_found', `location "${location ?? ''}" does not exist`);
    const items = await listPurchases(pool, { status, vendor, location: request.apiKey.locationId ?? at?.id ?? null, before: cursor('pur', after), limit });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });
  app.get('/v1/purchase-orders/:id', { config: { scope: 'stock:read' }, schema: { summary: 'Read a purchase order, its variances and timeline', tags, params, response } }, (request) => read(request.params.id, whoOf(request)));

  app.post('/v1/purchase-orders/:id/approve', { config: write, schema: { summary: 'Approve a purchase order', tags, params, response, description: 'Again: no change.' } }, async (request) => {
    await approvePurchase(writer, purchaseUuid(request.params.id), headOffice(request));
    return read(request.params.id, whoOf(request));
  });
  app.post('/v1/purchase-orders/:id/send', {
    config: write,
    schema: { summary: 'A purchase order goes to its vendor', tags, params, response, body: Type.Object({ expectedAt: Type.Optional(Timestamp) }, { additionalProperties: false }), description: 'From this commit on its units are a supply with a date (default: after the vendor\'s lead time), sellable by channels whose horizon reaches it. Again: no change.' },
  }, async (request) => {
    await sendPurchase(writer, network, purchaseUuid(request.params.id), request.body.expectedAt ?? null, headOffice(request));
    return read(request.params.id, whoOf(request));
  });
  app.post('/v1/purchase-orders/:id/receipts', {
    config: write, schema: { summary: 'Goods of a purchase order have come', tags, params, body: ReceiptBody, response, description: 'Reserved units first; too much, too little and damaged are variances; over with `final`, or when nothing is left to come. Idempotent by the receipt\'s `reference`.' },
  }, (request) => receivePurchase(writer, network, purchaseUuid(request.params.id), request.body as SupplyReceipt, whoOf(request)));
  app.post('/v1/purchase-orders/:id/cancel', {
    config: write, schema: { summary: 'Cancel a purchase order', tags, params, body: Type.Object({ reason: Reason }, { additionalProperties: false }), response, description: 'One that was sent is cancelled with its supply: orders that were to get its units find others or are short. Again: no change.' },
  }, async (request) => {
    await cancelPurchase(writer, network, purchaseUuid(request.params.id), request.body.reason, headOffice(request));
    return read(request.params.id, whoOf(request));
  });
  app.post('/v1/purchase-orders/:id/close', { config: write, schema: { summary: 'Close a purchase order that was received', tags, params, response, description: 'Settled with the vendor. Again: no change.' } }, async (request) => {
    await closePurchase(writer, purchaseUuid(request.params.id), headOffice(request));
    return read(request.params.id, whoOf(request));
  });
  return Promise.resolve();
};
