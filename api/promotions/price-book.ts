import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { putConflicts, putPrices, putStaff, readConflicts, readPrices, type PriceEntry } from '../../db/promotions/price-book.ts';
import { quoteCart, type Cart } from '../../db/promotions/quote.ts';
import type { PromotionKind } from '../../domain/promotion/model.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { Code, openResponses, problemResponses } from '../schemas/common.ts';
import { CartBody, ConflictsBody, PricesBody, QuoteSchema, StaffBody } from './schema.ts';

const tags = ['promotions'];
const response = openResponses;
const write = { scope: 'network:write' } as const;
const readScope = { scope: 'network:read' } as const;

/** List prices and floors, which kinds exclude each other, and who is staff. */
export const priceBookRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, pool, writer, vault } = store;
  app.addHook('onRequest', headOffice);
  app.put('/v1/prices', {
    config: write, schema: { summary: 'Write list prices and floors', tags, body: PricesBody, response, description: 'All or none. Without `channel`: of every channel of the currency; a channel\'s own goes first. `price: null` takes it out.' },
  }, async (request) => {
    const written = await putPrices(writer, network, (request.body as { prices: PriceEntry[] }).prices);
    await network.promotions.reload();
    return { written };
  });
  app.get('/v1/prices', { config: readScope, schema: { summary: 'Read the list prices of a SKU', tags, querystring: Type.Object({ sku: Code }, { additionalProperties: false }), response } },
    async (request) => ({ items: await readPrices(pool, request.query.sku) }));
  app.post('/v1/price', {
    config: { scope: 'orders:write' },
    schema: {
      summary: 'Quote the price of a cart', tags, body: CartBody, response: { 200: QuoteSchema, ...problemResponses },
      description: 'With what is live now, on a strict channel. Nothing is taken or reserved, and stock is not looked at. `problem`: why an order like this would be refused. Send `expectTotal` with the order to hold us to it.',
    },
  }, (request) => quoteCart(store, request.body as Cart));
  app.get('/v1/promotion-conflicts', { config: readScope, schema: { summary: 'Read the conflict matrix', tags, response } }, async () => ({ pairs: await readConflicts(pool) }));
  app.put('/v1/promotion-conflicts', {
    config: write, schema: { summary: 'Write the conflict matrix', tags, body: ConflictsBody, response, description: 'Pairs of kinds that exclude each other on one line, in place of those before; a pair of one kind: no two of them.' },
  }, async (request) => {
    await putConflicts(writer, (request.body as { pairs: [PromotionKind, PromotionKind][] }).pairs);
    await network.promotions.reload();
    return { pairs: await readConflicts(pool) };
  });
  app.put('/v1/staff', {
    config: write, schema: { summary: 'Write who is staff', tags, body: StaffBody, response, description: 'By their numbers, of which only a keyed hash is kept; those not named stay as they are.' },
  }, async (request) => ({ written: await putStaff(writer, vault, (request.body as { members: { id: string; group: string; active?: boolean }[] }).members) }));
  return Promise.resolve();
};
