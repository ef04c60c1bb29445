import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { refuseOrder } from '../../db/dealers/answer-order.ts';
import { inventoryOf } from '../../db/dealers/inventory.ts';
import { dealerFile, dealerFiles, documentBody, documentDelivered, fileOrders, knownFile, readDocuments, type FileView } from '../../db/dealers/read.ts';
import { takeFile } from '../../db/dealers/take-file.ts';
import { ShopBook, type ShopRow } from '../../db/channels/shops.ts';
import { profileOf } from '../../domain/dealer/profile.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { unbound } from '../channels/unbound.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, openResponses, problemResponses } from '../schemas/common.ts';
import { formatOf, MEDIA_TYPES, readDealerFile } from './read-body.ts';
import { resultTable } from './result.ts';
import { Delivered, DocumentParams, DocumentsQuery, DocumentsView, FileAnswer, FileParams, FilesView, ListQuery, RefuseBody, UploadQuery } from './schema.ts';

const tags = ['dealer files'];
const MAX_BYTES = 16 * 1_048_576;
/** A name that a browser may save under. */
const attachment = (name: string): string => `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"`;

/** Dealers' orders as files, and our answers as files. */
export const dealerFileRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { pool, network, vault, writer, projection } = store;
  const book = new ShopBook(pool, network, vault);
  app.addContentTypeParser([...MEDIA_TYPES], { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });

  async function dealerOf(code: string, field: string): Promise<ShopRow> {
    const channel = network.channels.get(code);
    if (channel?.platform !== 'dealer') throw new Problem('unknown_channel', channel ? `channel "${code}" is no dealer: its platform is ${channel.platform}` : `channel "${code}" is not known`, field);
    book.forget(code); // a mended profile counts at once
    const shop = await book.find(code);
    if (!shop) throw new Problem('unprocessable', `dealer "${code}" has no profile yet: PUT /v1/channels/${code}/shop`, field);
    return shop;
  }
  async function fileOf(id: string): Promise<FileView> {
    const file = await dealerFile(pool, decodeId('fil', id) ?? '');
    if (!file) throw new Problem('not_found', `file ${id} is not known`, '/params/id');
    return file;
  }

  app.post('/v1/dealer-files', {
    bodyLimit: MAX_BYTES, config: { scope: 'orders:write' }, onRequest: unbound,
    schema: {
      summary: 'Take a file of a dealer', tags, consumes: [...MEDIA_TYPES], querystring: UploadQuery, response: { 200: FileAnswer, 201: FileAnswer, ...problemResponses },
      description: 'CSV, Excel (.xlsx), X12 850 or EDIFACT ORDERS, by the profile of the dealer. Wrong lines are reported with how to mend them, good orders go on. The same bytes, order numbers or interchange control number again have no second effect. '
        + 'Orders are captured by the channel\'s workflow: read the file again for what became of them.',
    },
  }, async (request, reply) => {
    const { channel: code, name } = request.query;
    const body = request.body;
    if (!Buffer.isBuffer(body) || body.length === 0) throw new Problem('malformed', `send the file as the body, as ${MEDIA_TYPES.join(', ')}`, '/body');
    const shop = await dealerOf(code, '/querystring/channel');
    const sha256 = createHash('sha256').update(body).digest();
    const known = await knownFile(pool, shop.channel.id, sha256);
    if (known !== null) return reply.code(200).send({ ...await dealerFile(pool, known) as FileView, repeatedNow: true });
    const profile = profileOf(shop.channel.currency, shop.settings, shop.secrets);
    const format = formatOf(request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '', body);
    const content = await readDealerFile(format, body, name, profile);
    const taken = await takeFile({ writer, vault }, shop.channel, profile, { name, format, sha256, bytes: body.length, by: actorOf(request.apiKey) }, content);
    const file = await dealerFile(pool, taken.id) as FileView;
    return reply.code(taken.repeated ? 200 : 201).send(taken.repeated ? { ...file, repeatedNow: true } : file);
  });

  app.get('/v1/dealer-files', { config: { scope: 'orders:read' }, onRequest: unbound, schema: { summary: 'List files of dealers', tags, querystring: ListQuery, response: { 200: FilesView, ...problemResponses } } }, async (request) => {
    const { channel, before, limit } = request.query;
    const known = channel === undefined ? null : network.channels.get(channel);
    if (known === undefined) throw new Problem('unknown_channel', `channel "${channel ?? ''}" is not known`, '/querystring/channel');
    return { items: await dealerFiles(pool, known?.id ?? null, before ?? null, limit ?? 100) };
  });

  app.get('/v1/dealer-files/:id', { config: { scope: 'orders:read' }, onRequest: unbound, schema: { summary: "What became of a dealer's file", tags, params: FileParams, response: { 200: FileAnswer, ...problemResponses } } }, (request) => fileOf(request.params.id));

  app.get('/v1/dealer-files/:id/result', {
    config: { scope: 'orders:read' }, onRequest: unbound,
    schema: { summary: "What became of a dealer's file, as CSV", tags, params: FileParams, produces: ['text/csv'], response: openResponses, description: 'Faults by line, and every line of its orders. Texts that a spreadsheet would run as formulas begin with an apostrophe.' },
  }, async (request, reply) => {
    const file = await fileOf(request.params.id);
    return reply.type('text/csv; charset=utf-8').header('content-disposition', attachment(`result-${file.name}.csv`)).send(resultTable(file, await fileOrders(pool, decodeId('fil', file.id) ?? '')));
  });

  app.get('/v1/dealer-documents', {
    config: { scope: 'orders:read' }, onRequest: unbound,
    schema: { summary: 'List what was written to dealers', tags, querystring: DocumentsQuery, response: { 200: DocumentsView, ...problemResponses }, description: 'The oldest first: acknowledgments (997, TA1, CONTRL), order responses (855, ORDRSP, response), ship notices (856, DESADV, shipment).' },
  }, async (request) => {
    const { channel, open, after, limit } = request.query;
    const known = channel === undefined ? null : network.channels.get(channel);
    if (known === undefined) throw new Problem('unknown_channel', `channel "${channel ?? ''}" is not known`, '/querystring/channel');
    return { items: await readDocuments(pool, { fileId: null, channelId: known?.id ?? null, open: open ?? false, after: after ?? 0, limit: limit ?? 100 }) };
  });

  app.get('/v1/dealer-documents/:id', { config: { scope: 'orders:read' }, onRequest: unbound, schema: { summary: 'Download a document', tags, params: DocumentParams, response: openResponses, description: 'As it was written, byte by byte, however often.' } }, async (request, reply) => {
    const found = await documentBody(pool, request.params.id);
    if (!found) throw new Problem('not_found', `document ${request.params.id} is not known`, '/params/id');
    const type = found.name.endsWith('.csv') ? 'text/csv; charset=utf-8' : ['CONTRL', 'ORDRSP', 'DESADV'].includes(found.kind) ? 'application/edifact' : 'application/edi-x12';
    return reply.type(type).header('content-disposition', attachment(found.name)).send(found.body);
  });

  app.put('/v1/dealer-documents/:id/delivered', { config: { scope: 'orders:write' }, onRequest: unbound, schema: { summary: 'Note that a document has been taken to its dealer', tags, params: DocumentParams, response: { 200: Delivered, ...problemResponses } } }, async (request) => {
    const at = await documentDelivered(pool, request.params.id, writer.clock());
    if (!at) throw new Problem('not_found', `document ${request.params.id} is not known`, '/params/id');
    return { deliveredAt: at.toISOString() };
  });

  app.post('/v1/channels/:code/dealer-orders/refuse', {
    config: { scope: 'orders:operate' }, onRequest: unbound,
    schema: { summary: 'Refuse an order of a dealer that is held', tags, params: Type.Object({ code: Code }), body: RefuseBody, response: { 204: Type.Null(), ...problemResponses }, description: 'The dealer is told (855, ORDRSP). An order that was captured is cancelled instead (POST /v1/orders/{id}/cancel).' },
  }, async (request, reply) => {
    const { channel } = await dealerOf(request.params.code, '/params/code');
    if (!await refuseOrder(writer, channel, request.body.orderNo, request.body.reason)) throw new Problem('conflict', 'no such order waits: it was captured, refused or answered before', '/orderNo');
    return reply.code(204).send(null);
  });

  app.get('/v1/channels/:code/inventory-file', {
    config: { scope: 'stock:read' }, onRequest: unbound,
    schema: { summary: 'Stock for a dealer, as CSV', tags, params: Type.Object({ code: Code }), produces: ['text/csv'], response: openResponses, description: "Every mapped listing under the dealer's own number, with what it may order now by the publishing rules (share, buffer, cap, zero)." },
  }, async (request, reply) => {
    const { channel } = await dealerOf(request.params.code, '/params/code');
    return reply.type('text/csv; charset=utf-8').header('content-disposition', attachment(`inventory-${channel.code}.csv`)).send(await inventoryOf(pool, network, projection, channel, writer.clock()));
  });
  return Promise.resolve();
};
