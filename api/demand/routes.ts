import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { channelCode, demandChannel } from '../../db/demand/channel.ts';
import { markPromoted } from '../../db/demand/promoted.ts';
import { rebuildDemandDay } from '../../db/demand/roll-up.ts';
import { DEMAND_GROUPS, readDailyDemand, sumDemand, type DemandCursor, type DemandFilter, type DemandGroup } from '../../db/demand/read.ts';
import type { Store } from '../../db/store.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, openResponses, problemResponses, Text, Timestamp } from '../schemas/common.ts';
import { Next } from '../schemas/paging.ts';

const Day = Type.String({ format: 'date', description: 'business day of the location, inclusive' });
const opt = (what: string) => Type.Optional(Text(64, 1, { description: what }));
const filters = {
  from: Day, to: Day, sku: opt('code'), location: opt('code'), channel: opt("code; `till`: sales at shops' own tills"), region: Type.Optional(Text(60, 1, { description: 'province of the destination' })), category: Type.Optional(Text(100)),
};
const maybe = Type.Union([Type.String(), Type.Null()]);
const figures = {
  units: Type.Integer({ description: 'ordered; those cancelled or returned later are in it' }), revenue: Type.Integer({ description: 'after discounts, without freight, minor units' }),
  cancelled: Type.Integer(), returned: Type.Integer(), lost: Type.Integer({ description: 'wanted and not served: refused (not in units), or cancelled while we lacked them' }),
};
const Row = Type.Object({
  day: Type.String(), sku: Type.String(), location: Type.Unsafe<string | null>({ ...maybe, description: 'null: no location had the units' }), channel: Type.String(), country: Type.String(), region: Type.String(),
  ...figures, promoted: Type.Boolean(), stockedOut: Type.Boolean(), outMinutes: Type.Integer({ description: 'how long of the day the location had nothing of it to sell' }),
});
const Sum = Type.Object({
  day: Type.Optional(Type.String()), week: Type.Optional(Type.String({ description: 'its Monday' })), sku: Type.Optional(Type.String()), location: Type.Optional(maybe), channel: Type.Optional(Type.String()),
  country: Type.Optional(Type.String()), region: Type.Optional(Type.String()), category: Type.Optional(maybe), ...figures,
});

/** What was wanted, by day, SKU, location, channel and region. */
export const demandRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  app.get('/v1/demand', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'Daily demand', tags: ['planning'], description: 'By day, SKU, location, channel and region. Follows orders and receipts of tills within seconds; a late cancel or return changes the day of its order.',
      querystring: Type.Object({ ...filters, after: Type.Optional(Type.String({ maxLength: 400, description: 'the cursor: `next` of the page before' })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 50 })) }, { additionalProperties: false }), response: { 200: Type.Object({ items: Type.Array(Row), next: Next }), ...problemResponses },
    },
  }, async (request) => {
    const { after, limit = 50, ...query } = request.query;
    const filter = await filterOf(store, query, request.apiKey.locationId);
    const rows = await readDailyDemand(store.pool, filter, store.writer.clock(), { after: after === undefined ? null : cursorOf(after), limit: limit + 1 });
    const page = rows.slice(0, limit);
    const codes = await store.network.skusById(page.map((r) => r.skuId));
    const last = page.at(-1);
    return {
      items: page.map(({ skuId, locationId, channelId, outMinutes, ...r }) => ({
        ...r, sku: codes.get(skuId)?.code ?? '', location: store.network.locationById.get(locationId)?.code ?? null, channel: channelCode(store.network, channelId), stockedOut: outMinutes > 0, outMinutes,
      })),
      next: rows.length > limit && last ? nextOf(last) : null,
    };
  });

  app.get('/v1/demand/sums', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'Demand added up', tags: ['planning'], description: 'At most 5,000 sums.',
      querystring: Type.Object({ ...filters, by: Type.Optional(Type.String({ maxLength: 100, description: `any of ${DEMAND_GROUPS.join(', ')}, with commas; absent: one sum of all` })) }, { additionalProperties: false }),
      response: { 200: Type.Object({ items: Type.Array(Sum) }), ...problemResponses },
    },
  }, async (request) => {
    const { by = '', ...query } = request.query;
    const groups = by === '' ? [] : by.split(',');
    const unknown = groups.find((g, i) => !DEMAND_GROUPS.some((x) => x === g) || groups.indexOf(g) !== i);
    if (unknown !== undefined) throw new Problem('invalid', `by: "${unknown}" is none of ${DEMAND_GROUPS.join(', ')}, or is there twice`, '/querystring/by');
    const sums = await sumDemand(store.pool, await filterOf(store, query, request.apiKey.locationId), groups as DemandGroup[]);
    if (sums.length > 5_000) throw new Problem('invalid', `these are ${sums.length} sums; ask for fewer days or SKUs, or by less`, '/querystring/by');
    const codes = await store.network.skusById(sums.flatMap((r) => r.skuId ?? []));
    return {
      items: sums.map(({ skuId, locationId, channelId, ...r }) => ({
        ...r, ...(skuId === undefined ? {} : { sku: codes.get(skuId)?.code ?? '' }), ...(locationId === undefined ? {} : { location: store.network.locationById.get(locationId)?.code ?? null }),
        ...(channelId === undefined ? {} : { channel: channelCode(store.network, channelId) }),
      })),
    };
  });

  app.put('/v1/demand/promoted/:source', {
    config: { scope: 'network:write' },
    schema: {
      summary: 'Say when SKUs were promoted', tags: ['planning'], params: Type.Object({ source: Code }), response: openResponses,
      description: 'In place of what this source said before; promotions and campaigns of ours say it themselves. Demand of such days is not read as plain.',
      body: Type.Object({
        spans: Type.Array(Type.Object({ sku: Code, location: Type.Optional(Code), channel: Type.Optional(Code), from: Timestamp, to: Timestamp }, { additionalProperties: false, description: '`to` is exclusive; absent: everywhere' }), { maxItems: 5_000 }),
      }, { additionalProperties: false }),
    },
  }, async (request) => {
    headOfficeOnly(request.apiKey);
    const { spans } = request.body;
    await store.network.loadSkus(spans.map((s) => s.sku));
    const found = <T extends { id: number }>(i: number, what: string, code: string, row: T | undefined): number => {
      if (!row) throw new Problem('unprocessable', `${what} "${code}" does not exist`, `/spans/${i}/${what}`);
      return row.id;
    };
    const rows = spans.map((s, i) => {
      if (Date.parse(s.to) <= Date.parse(s.from)) throw new Problem('invalid', 'the span ends before it begins', `/spans/${i}/to`);
      return {
        skuId: found(i, 'sku', s.sku, store.network.knownSku(s.sku)), locationId: s.location === undefined ? null : found(i, 'location', s.location, store.network.locations.get(s.location)),
        channelId: s.channel === undefined ? null : found(i, 'channel', s.channel, store.network.channels.get(s.channel)), from: new Date(s.from), to: new Date(s.to),
      };
    });
    await store.writer.change((tx) => markPromoted(tx.client, `manual:${request.params.source}`, rows));
    return { written: rows.length };
  });

  app.post('/v1/demand/days/:day/rebuild', {
    config: { scope: 'network:write' },
    schema: { summary: 'Add a day up anew', tags: ['planning'], params: Type.Object({ day: Day }), response: openResponses, description: 'From what its orders say. Changes nothing unless figures were changed by hand.' },
  }, async (request) => {
    headOfficeOnly(request.apiKey);
    await rebuildDemandDay(store.pool, request.params.day);
    return { day: request.params.day };
  });
  return Promise.resolve();
};

function headOfficeOnly(key: { locationId: number | null; carrier: string | null }): void {
  if (key.locationId !== null || key.carrier !== null) throw new Problem('forbidden', 'this key is bound to a location or carrier and cannot change this');
}

type Query = { from: string; to: string; sku?: string; location?: string; channel?: string; region?: string; category?: string };

/** Codes to inside ids; a key that is bound to a location sees that one. Throws Problem. */
async function filterOf({ network }: Store, q: Query, only: number | null): Promise<DemandFilter> {
  if (q.to < q.from) throw new Problem('invalid', 'the days end before they begin', '/querystring/to');
  const id = (what: keyof Query, found: { id: number } | undefined): number[] => {
    if (!found) throw new Problem('unprocessable', `${what} "${q[what] ?? ''}" does not exist`, `/querystring/${what}`);
    return [found.id];
  };
  if (q.sku !== undefined) await network.loadSkus([q.sku]);
  const locations = q.location === undefined ? undefined : id('location', network.locations.get(q.location));
  if (only !== null && locations !== undefined && locations[0] !== only) throw new Problem('not_found', `location "${q.location ?? ''}" does not exist`);
  return {
    from: q.from, to: q.to, ...(q.sku === undefined ? {} : { skus: id('sku', network.knownSku(q.sku)) }), ...(only !== null ? { locations: [only] } : locations === undefined ? {} : { locations }),
    ...(q.channel === undefined ? {} : { channels: id('channel', demandChannel(network, q.channel)) }), ...(q.region === undefined ? {} : { regions: [q.region] }), ...(q.category === undefined ? {} : { categories: [q.category] }),
  };
}

const nextOf = (r: DemandCursor): string => Buffer.from(JSON.stringify([r.day, r.skuId, r.locationId, r.channelId, r.country, r.region])).toString('base64url');

function cursorOf(after: string): DemandCursor {
  try {
    const [day, skuId, locationId, channelId, country, region] = JSON.parse(Buffer.from(after, 'base64url').toString()) as [string, number, number, number, string, string];
    const texts = [day, country, region].every((x) => typeof x === 'string' && !x.includes('\0'));
    if (texts && /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day)) && [skuId, locationId, channelId].every((x) => Number.isInteger(x) && x >= 0 && x < 2 ** 31)) return { day, skuId, locationId, channelId, country, region };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new Problem('invalid', 'after must be the `next` of an earlier page of this list', '/querystring/after');
}
