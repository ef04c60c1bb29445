import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Location } from '../../db/network.ts';
import { adjust, closeStatement, listEntries, listStatements, payStatement, readStatement } from '../../db/settlement/statements.ts';
import { putTerms, readTerms, type TermsInput, type TermsView } from '../../db/settlement/terms.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Currency, Minor, Nullable, OneOf, problemResponses, Text, Timestamp } from '../schemas/common.ts';

const closed = { additionalProperties: false } as const;
const tags = ['settlement'];
const Signed = Type.Integer({ minimum: -9_000_000_000_000, maximum: 9_000_000_000_000, description: 'minor units; negative: owed to us' });
const TermsBody = Type.Object({
  currency: Currency, handlingFee: Type.Unsafe<number>({ ...Minor, description: 'for each shipment, minor units' }),
  terms: Type.Array(Type.Object({
    sku: Type.Unsafe<string | null>({ ...Nullable(Code), description: 'null: every SKU without a term of its own' }), price: Type.Optional(Type.Unsafe<number>({ ...Minor, description: 'a unit, minor units' })),
    percentOfNet: Type.Optional(Type.Integer({ minimum: 0, maximum: 100, description: 'of what the customer paid for the goods' })), validFrom: Type.Optional(Timestamp),
  }, closed), { maxItems: 10_000 }),
}, closed);
const TermsSchema = Type.Object({
  location: Type.String(), currency: Type.String(), handlingFee: Type.Integer(),
  terms: Type.Array(Type.Object({ sku: Nullable(Type.String()), price: Nullable(Type.Integer()), percentOfNet: Nullable(Type.Integer()), validFrom: Timestamp, author: Type.String() })),
});
const StatementSchema = Type.Object({
  id: Type.Integer(), location: Type.String(), to: Timestamp, currency: Type.String(), amount: Signed, entries: Type.Integer(), status: OneOf(['closed', 'paid']), closedAt: Timestamp, closedBy: Type.String(), paidAt: Nullable(Timestamp), paymentReference: Nullable(Type.String()),
});
const EntrySchema = Type.Object({
  id: Type.Integer(), location: Type.String(), kind: OneOf(['goods', 'handling', 'return', 'adjustment']), order: Nullable(Type.String()), fulfillmentOrder: Nullable(Type.String()), line: Nullable(Type.Integer()), sku: Nullable(Type.String()),
  units: Type.Integer(), net: Nullable(Signed), amount: Type.Unsafe<number | null>({ ...Nullable(Signed), description: 'null: no term says what; add one' }), bookedAt: Timestamp, statement: Nullable(Type.Integer()), note: Nullable(Type.String()),
});
const Id = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) });

/** What dealers and vendors are owed for what they ship for us. */
export const settlementRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, writer } }) => {
  /** A location that the key may see; null: every one. */
  const seen = (code: string | undefined, own: number | null): Location | null => {
    if (code === undefined) return own === null ? null : network.locationById.get(own) ?? null;
    const location = network.locations.get(code);
    if (!location || (own !== null && own !== location.id)) throw new Problem('not_found', `location "${code}" does not exist`);
    return location;
  };
  const termsOf = async (location: Location): Promise<TermsView> => {
    const terms = await readTerms(pool, location);
    if (!terms) throw new Problem('not_found', `location "${location.code}" has no settlement terms`);
    return terms;
  };
  const named = (code: string): Location => {
    const location = network.locations.get(code);
    if (!location) throw new Problem('unknown_location', `location "${code}" is not known`, '/location');
    return location;
  };

  app.get('/v1/locations/:code/settlement-terms', {
    config: { scope: 'network:read' }, schema: { summary: 'Read settlement terms', tags, params: Type.Object({ code: Code }), response: { 200: TermsSchema, ...problemResponses } },
  }, (request) => termsOf(seen(request.params.code, request.apiKey.locationId) as Location));
  app.put('/v1/locations/:code/settlement-terms', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: {
      summary: 'Add settlement terms', tags, params: Type.Object({ code: Code }), body: TermsBody, response: { 200: TermsSchema, ...problemResponses },
      description: 'For a dealer that ships for the brand (代发) or a vendor that drop-ships. Terms do not change: a later `validFrom` replaces an earlier one. Entries without a price get the term that was valid when they were booked.',
    },
  }, async (request) => {
    const location = network.locations.get(request.params.code);
    if (!location) throw new Problem('not_found', `location "${request.params.code}" does not exist`);
    if (location.kind !== 'dealer' && location.kind !== 'vendor') throw new Problem('unprocessable', `location "${location.code}" is a ${location.kind}: only dealers and vendors are settled with`);
    await putTerms(writer, location.id, request.body as TermsInput, actorOf(request.apiKey));
    return termsOf(location);
  });
  app.get('/v1/settlements/entries', {
    config: { scope: 'network:read' },
    schema: {
      summary: 'List settlement entries', tags, description: 'In the order they were booked; a goods issue books, a return of goods fit to be sold takes off.',
      querystring: Type.Object({ location: Type.Optional(Code), statement: Type.Optional(Type.Integer({ minimum: 1 })), open: Type.Optional(Type.Boolean({ description: 'on no statement' })), after: Type.Optional(Type.Integer({ minimum: 0 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }, closed),
      response: { 200: Type.Object({ entries: Type.Array(EntrySchema), next: Nullable(Type.Integer()) }), ...problemResponses },
    },
  }, async (request) => {
    const { location, statement = null, open = false, after = 0, limit = 100 } = request.query;
    const rows = await listEntries(pool, { locationId: seen(location, request.apiKey.locationId)?.id ?? null, statement, open, after, limit: limit + 1 });
    return { entries: rows.slice(0, limit), next: rows.length > limit ? rows[limit - 1]?.id ?? null : null };
  });
  app.post('/v1/settlements/adjustments', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: {
      summary: 'Book a settlement adjustment', tags, body: Type.Object({ location: Code, reference: Text(200), amount: Signed, note: Text(500) }, closed), response: { 204: Type.Null(), ...problemResponses },
      description: 'What no shipment says, for or against the location. One `reference` is one adjustment.',
    },
  }, async (request, reply) => {
    const { location, ...wish } = request.body;
    await adjust(writer, named(location).id, wish);
    return reply.code(204).send(null);
  });
  app.post('/v1/settlements/statements', {
    config: { scope: 'network:write' }, onRequest: headOffice,
    schema: {
      summary: 'Close a settlement statement', tags, body: Type.Object({ location: Code, to: Timestamp }, closed), response: { 200: StatementSchema, ...problemResponses },
      description: 'Everything that was booked before `to` and is on no statement. Safe to repeat. Refused while an entry has no price.',
    },
  }, async (request) => {
    const to = new Date(request.body.to);
    if (Number.isNaN(to.getTime())) throw new Problem('invalid', `"${request.body.to}" is no time`, '/to');
    return readStatement(pool, await closeStatement(writer, named(request.body.location).id, to, actorOf(request.apiKey)), null);
  });
  app.get('/v1/settlements/statements', {
    config: { scope: 'network:read' }, schema: { summary: 'List settlement statements', tags, description: 'The newest first, at most 500.', querystring: Type.Object({ location: Type.Optional(Code) }, closed), response: { 200: Type.Object({ statements: Type.Array(StatementSchema) }), ...problemResponses } },
  }, async (request) => ({ statements: await listStatements(pool, seen(request.query.location, request.apiKey.locationId)?.id ?? null) }));
  app.get('/v1/settlements/statements/:id', {
    config: { scope: 'network:read' }, schema: { summary: 'Read a settlement statement', tags, params: Id, response: { 200: StatementSchema, ...problemResponses } },
  }, (request) => readStatement(pool, request.params.id, request.apiKey.locationId));
  app.post('/v1/settlements/statements/:id/pay', {
    config: { scope: 'network:write' }, onRequest: headOffice, schema: { summary: 'Say that a statement was paid', tags, params: Id, body: Type.Object({ reference: Text(200) }, closed), response: { 200: StatementSchema, ...problemResponses } },
  }, async (request) => {
    await payStatement(writer, request.params.id, request.body.reference);
    return readStatement(pool, request.params.id, null);
  });
  return Promise.resolve();
};
