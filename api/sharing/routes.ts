import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from '@sinclair/typebox';
import { listSharing, putSharing, type SharingRow } from '../../db/network-admin/sharing.ts';
import type { ApiKey, Location, Network, Sku } from '../../db/network.ts';
import { listBuffers, putBuffers, type BufferRow } from '../../db/stock/buffers/put-buffers.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { Code, openResponses } from '../schemas/common.ts';
import { BuffersBody, buffersResponse, SharingBody, sharingResponse } from './schema.ts';

const tags = ['network'];
const params = Type.Object({ code: Code });
const read = { scope: 'network:read' } as const;
const write = { scope: 'network:write' } as const;

function locationFor(network: Network, key: ApiKey, code: string): Location {
  const location = network.locations.get(code);
  if (!location || (key.locationId !== null && key.locationId !== location.id)) throw new Problem('not_found', `location "${code}" does not exist`);
  return location;
}

function knownSku(network: Network, code: string, field: string): Sku {
  const sku = network.knownSku(code);
  if (!sku) throw new Problem('unknown_sku', `SKU "${code}" is not known`, field);
  return sku;
}

const minutes = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const clock = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** A rule with ids for codes. Throws Problem with the field at fault. */
function sharingRow(network: Network, rule: Static<typeof SharingBody>['rules'][number], i: number): SharingRow {
  const at = `/rules/${i}`;
  const counted = rule.mode === 'percent' || rule.mode === 'cap';
  if (counted !== (rule.value !== undefined)) throw new Problem('invalid', counted ? `mode ${rule.mode} needs a value` : `mode ${rule.mode} takes no value`, `${at}/value`);
  if (rule.mode === 'percent' && (rule.value ?? 0) > 100) throw new Problem('invalid', `${rule.value ?? 0} % is more than there is`, `${at}/value`);
  if (rule.skus && rule.category !== undefined) throw new Problem('invalid', 'a rule names SKUs or a category, not both', `${at}/category`);
  const channel = rule.channel === undefined ? null : network.channels.get(rule.channel);
  if (channel === undefined) throw new Problem('unknown_channel', `channel "${rule.channel ?? ''}" is not known`, `${at}/channel`);
  const hours = rule.hours && { from: minutes(rule.hours.from), to: minutes(rule.hours.to) };
  if (hours && hours.from === hours.to) throw new Problem('invalid', 'the hours are empty: from and to are the same time; leave hours out for the whole day', `${at}/hours/to`);
  return {
    channelId: channel?.id ?? null, skuIds: rule.skus?.map((code, n) => knownSku(network, code, `${at}/skus/${n}`).id) ?? null, category: rule.category ?? null, mode: rule.mode, value: rule.value ?? null,
    from: hours?.from ?? null, to: hours?.to ?? null, weekdays: rule.weekdays ?? null, priority: rule.priority ?? 100,
  };
}

function bufferRow(network: Network, rule: Static<typeof BuffersBody>['rules'][number], i: number): BufferRow {
  const at = `/rules/${i}`;
  if (rule.mode === 'percent' && rule.value > 100) throw new Problem('invalid', `${rule.value} % is more than there is`, `${at}/value`);
  if (rule.mode === 'days_of_sale' && rule.value > 365) throw new Problem('invalid', 'a buffer is of 365 days of sale at most', `${at}/value`);
  const sku = rule.sku === undefined ? null : knownSku(network, rule.sku, `${at}/sku`);
  if (sku?.lotTracked && rule.mode !== 'percent') throw new Problem('unprocessable', `SKU "${sku.code}" is tracked by lot: of lots a percentage can be kept, units and days of sale from stock without lots only`, `${at}/sku`);
  return { skuId: sku?.id ?? null, mode: rule.mode, value: rule.value };
}

/** What a location shares with the channels, and what it keeps back. */
export const sharingRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, network, writer } }) => {
  app.addHook('onRequest', headOffice);
  const sharing = async ({ id, code }: Location) => ({
    location: code, rules: (await listSharing(pool, id)).map(({ from, to, ...rule }) => ({ ...rule, hours: from === null || to === null ? null : { from: clock(from), to: clock(to) } })),
  });
  const buffers = async ({ id, code }: Location) => ({ location: code, rules: await listBuffers(pool, id) });

  app.get('/v1/locations/:code/sharing', { config: read, schema: { summary: 'Read what a location shares', tags, params, response: sharingResponse } },
    (request) => sharing(locationFor(network, request.apiKey, request.params.code)));
  app.put('/v1/locations/:code/sharing', {
    config: write,
    schema: {
      summary: 'Say what a location shares', tags, params, body: SharingBody, response: sharingResponse,
      description: 'In place of what was said before; it counts for the shared stock, not for what was allotted. Of the rules that match an order line, those that name most count: SKUs, then a category, then a channel. Of these the first by priority whose hours are now; when none of them is open, nothing is shared. Where no rule matches, all is shared.',
    },
  }, async (request) => {
    const location = locationFor(network, request.apiKey, request.params.code);
    await network.loadSkus(request.body.rules.flatMap((r) => r.skus ?? []));
    await putSharing(pool, location.id, request.body.rules.map((r, i) => sharingRow(network, r, i)));
    await network.reload(false);
    return sharing(location);
  });
  app.delete('/v1/locations/:code/sharing', { config: write, schema: { summary: 'Let a location share everything', tags, params, response: openResponses } }, async (request, reply) => {
    await putSharing(pool, locationFor(network, request.apiKey, request.params.code).id, []);
    await network.reload(false);
    return reply.code(204).send(null);
  });

  app.get('/v1/locations/:code/buffers', { config: read, schema: { summary: 'Read what a location keeps from sale', tags, params, response: buffersResponse } },
    (request) => buffers(locationFor(network, request.apiKey, request.params.code)));
  app.put('/v1/locations/:code/buffers', {
    config: write,
    schema: {
      summary: 'Say what a location keeps from sale', tags, params, body: BuffersBody, response: buffersResponse,
      description: 'In place of what was said before. A SKU\'s own rule counts, else the location\'s. Of stock by lot only a percentage is kept, of each lot. A percentage follows what is on hand at once, days of sale the sales of the last 28 days once an hour.',
    },
  }, async (request) => {
    const location = locationFor(network, request.apiKey, request.params.code);
    const { rules } = request.body;
    await network.loadSkus(rules.flatMap((r) => r.sku ?? []));
    const twice = rules.findIndex((r, i) => rules.findIndex((x) => x.sku === r.sku) !== i);
    if (twice >= 0) throw new Problem('invalid', `${rules[twice]?.sku ?? 'every SKU'} is given twice`, `/rules/${twice}/sku`);
    await putBuffers(writer, location.id, rules.map((r, i) => bufferRow(network, r, i)));
    return buffers(location);
  });
  app.delete('/v1/locations/:code/buffers', { config: write, schema: { summary: 'Let a location keep nothing from sale', tags, params, response: openResponses } }, async (request, reply) => {
    await putBuffers(writer, locationFor(network, request.apiKey, request.params.code).id, []);
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};
