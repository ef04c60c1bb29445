import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { demandChannel } from '../../db/demand/channel.ts';
import { daysOf, INDICATOR_GROUPS, type IndicatorFilter } from '../../db/indicators/filter.ts';
import { readIndicators } from '../../db/indicators/read.ts';
import { readStockAges } from '../../db/indicators/stock.ts';
import { readTransferEffects } from '../../db/indicators/transfers.ts';
import { TRANSFER_REASONS } from '../../db/transfers/transfer.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, OneOf, openResponses, Text } from '../schemas/common.ts';

const tags = ['planning'];
const response = openResponses;
const closed = { additionalProperties: false } as const;
const read = { scope: 'stock:read' } as const;
const Day = Type.String({ format: 'date', description: 'inclusive' });
const MOST_DAYS = 400;
const MOST_ROWS = 5_000;
const stockFilters = { sku: Type.Optional(Code), category: Type.Optional(Text(100)), location: Type.Optional(Code) };

/** Indicators of stock and service. A key that is bound to a location sees its own. */
export const indicatorRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network, writer } }) => {
  type Named = { sku?: string; category?: string; location?: string; channel?: string; region?: string };
  async function ids(q: Named, onlyLocation: number | null): Promise<Omit<IndicatorFilter, 'from' | 'to'>> {
    if (q.sku !== undefined) await network.loadSkus([q.sku]);
    const of = <T extends { id: number }>(found: T | undefined, what: string, code: string, field: string): number => {
      if (!found) throw new Problem('invalid', `${what} "${code}" is not known`, `/querystring/${field}`);
      return found.id;
    };
    const location = q.location === undefined ? onlyLocation : of(network.locations.get(q.location), 'location', q.location, 'location');
    if (onlyLocation !== null && location !== onlyLocation) throw new Problem('forbidden', 'this key is bound to another location');
    return {
      ...(q.sku === undefined ? {} : { sku: of(network.knownSku(q.sku), 'SKU', q.sku, 'sku') }), ...(q.category === undefined ? {} : { category: q.category }), ...(location === null ? {} : { location }),
      ...(q.channel === undefined ? {} : { channel: of(demandChannel(network, q.channel), 'channel', q.channel, 'channel') }), ...(q.region === undefined ? {} : { region: q.region }),
    };
  }
  function period(q: { from: string; to: string }): { from: string; to: string } {
    const days = daysOf(q);
    if (!(days >= 1)) throw new Problem('invalid', 'the period ends before it begins', '/querystring/to');
    if (days > MOST_DAYS) throw new Problem('invalid', `${days} days are asked for, ${MOST_DAYS} at most`, '/querystring/to');
    return { from: q.from, to: q.to };
  }
  function few<T>(items: T[]): { items: T[] } {
    if (items.length > MOST_ROWS) throw new Problem('invalid', `these are ${items.length} rows: name a category or a location`, '/querystring/by');
    return { items };
  }

  app.get('/v1/indicators', {
    config: read,
    schema: {
      summary: 'Turnover days, sell-through, fill rate, lost sales', tags, response,
      description: 'Served = ordered − cancelled; fill rate = served ÷ (served + lost); lost sales = lost × mean price; turnover days = mean on hand × days ÷ served; sell-through = served ÷ (opening + received). Stock figures are null by channel and region: stock has neither. Demand from the daily roll-up, stock from the ledger.',
      querystring: Type.Object({ from: Day, to: Day, by: Type.Optional(OneOf(INDICATOR_GROUPS, 'absent: one row of all')), ...stockFilters, channel: Type.Optional(Code), region: Type.Optional(Text(60, 1, { description: 'province of the destination' })) }, closed),
    },
  }, async ({ query, apiKey }) => few(await readIndicators(pool, { ...period(query), ...await ids(query, apiKey.locationId) }, query.by ?? null)));

  app.get('/v1/indicators/stock-age', {
    config: read,
    schema: {
      summary: 'Stock on hand by age', tags, response, description: 'Sellable units, first in, first out, by days since they came: from 0, 31, 61, 91, 181 days on. By location from when they came there.',
      querystring: Type.Object({ by: Type.Optional(OneOf(['sku', 'category', 'location'] as const, 'absent: of all')), ...stockFilters }, closed),
    },
  }, async ({ query, apiKey }) => few(await readStockAges(pool, await ids(query, apiKey.locationId), query.by ?? null, writer.clock())));

  app.get('/v1/indicators/transfers', {
    config: read,
    schema: {
      summary: 'What transfers brought', tags, response, description: 'Of transfers received in the period: units sold at the receiver beyond what it had when they came, at most what came.',
      querystring: Type.Object({ from: Day, to: Day, reason: Type.Optional(OneOf(TRANSFER_REASONS)), location: Type.Optional(Code), days: Type.Optional(Type.Integer({ minimum: 1, maximum: 400, default: 28, description: 'after the receipt, in which sales count' })) }, closed),
    },
  }, async ({ query, apiKey }) => {
    const { location = null } = await ids(query, apiKey.locationId);
    return readTransferEffects(pool, { ...period(query), reason: query.reason ?? null, location, days: query.days ?? 28 }, writer.clock());
  });
  return Promise.resolve();
};
