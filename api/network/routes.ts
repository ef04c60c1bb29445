import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { listCarriers, putCarrier, type CarrierInput } from '../../db/network-admin/carriers.ts';
import { putChannel, type ChannelInput } from '../../db/network-admin/channels.ts';
import { putLocation, putPlaces, type LocationInput } from '../../db/network-admin/locations.ts';
import { listSkus, putSkus, readSku, type SkuInput } from '../../db/network-admin/skus.ts';
import type { Channel, Location } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { fieldOf, reasonOf } from '../plugins/problems.ts';
import { Code, openResponses, Text } from '../schemas/common.ts';
import { headOffice } from './head-office.ts';
import { BulkSku, CarrierBody, ChannelBody, LocationBody, PlacesBody, SkuBody } from './schema.ts';

const tags = ['network'];
const params = Type.Object({ code: Code });
const read = { scope: 'network:read' } as const;
const write = { scope: 'network:write' } as const;
type Invalid = Parameters<typeof fieldOf>[0];

const channelView = ({ id: _id, ...channel }: Channel): Omit<Channel, 'id'> => channel;
function locationView(l: Location): Record<string, unknown> {
  const { id: _id, partnerSecret, partnerUrl, place, ...rest } = l;
  return { ...rest, ...place, partner: partnerUrl === null ? null : { url: partnerUrl, signed: partnerSecret !== null } };
}
function seasonProblem(sku: { seasonStart?: string; seasonEnd?: string }): string | null {
  return sku.seasonStart !== undefined && sku.seasonEnd !== undefined && sku.seasonEnd < sku.seasonStart ? 'the season ends before it begins' : null;
}
function unknown(what: string, code: string): Problem { return new Problem('not_found', `${what} "${code}" does not exist`); }

/** Channels, locations, SKUs and carriers: PUT makes or changes by code. */
export const networkRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, pool, vault } = store;
  app.addHook('onRequest', headOffice);

  app.get('/v1/channels', { config: read, schema: { summary: 'List channels', tags } }, () => ({ items: [...network.channels.values()].map(channelView) }));
  app.get('/v1/channels/:code', { config: read, schema: { summary: 'Read a channel', tags, params } }, (request) => {
    const channel = network.channels.get(request.params.code);
    if (!channel) throw unknown('channel', request.params.code);
    return channelView(channel);
  });
  app.put('/v1/channels/:code', { config: write, schema: { summary: 'Make or change a channel', tags, params, body: ChannelBody, response: openResponses } }, async (request) => {
    await putChannel(pool, request.params.code, request.body as ChannelInput);
    await network.reload();
    return channelView(network.channels.get(request.params.code) as Channel);
  });

  app.get('/v1/locations', { config: read, schema: { summary: 'List locations', tags } }, () => ({ items: [...network.locations.values()].map(locationView) }));
  app.get('/v1/locations/:code', { config: read, schema: { summary: 'Read a location', tags, params } }, (request) => {
    const location = network.locations.get(request.params.code);
    if (!location) throw unknown('location', request.params.code);
    return locationView(location);
  });
  app.put('/v1/locations/:code', {
    config: write, schema: { summary: 'Make or change a location', tags, params, body: LocationBody, description: 'Without `partner` the location works by hand: GET /v1/fulfillment-orders and its events. A `partner` without its secret keeps the one it has.', response: openResponses },
  }, async (request) => {
    const body = request.body as LocationInput;
    if ((body.lat === undefined) !== (body.lon === undefined)) throw new Problem('invalid', 'lat and lon go together', body.lat === undefined ? '/lat' : '/lon');
    if ((body.openMinutes === undefined) !== (body.closeMinutes === undefined)) throw new Problem('invalid', 'openMinutes and closeMinutes go together', body.openMinutes === undefined ? '/openMinutes' : '/closeMinutes');
    const open = (body.closeMinutes ?? 0) - (body.openMinutes ?? 0);
    if (body.closeMinutes !== undefined && (open <= 0 || open > 1_440)) throw new Problem('invalid', 'a location closes after it opens, at most a day later', '/closeMinutes');
    try {
      new Intl.DateTimeFormat('en', { timeZone: body.timeZone });
    } catch (error) {
      throw new Problem('invalid', `timeZone "${body.timeZone}" is not known: ${(error as Error).message}`, '/timeZone');
    }
    await putLocation(pool, vault, request.params.code, body);
    await network.reload();
    return locationView(network.locations.get(request.params.code) as Location);
  });
  app.put('/v1/places', { config: write, schema: { summary: 'Coordinates of cities', tags, body: PlacesBody, response: openResponses } }, async (request) => {
    await putPlaces(pool, request.body.places);
    await network.reload();
    return { written: request.body.places.length };
  });

  const carrier = async (code: string): Promise<object> => {
    const [found] = await listCarriers(pool, code);
    if (!found) throw unknown('carrier', code);
    return found;
  };
  app.get('/v1/carriers', { config: read, schema: { summary: 'List carriers with their rates', tags } }, async () => ({ items: await listCarriers(pool) }));
  app.get('/v1/carriers/:code', { config: read, schema: { summary: 'Read a carrier with its rates', tags, params } }, (request) => carrier(request.params.code));
  app.put('/v1/carriers/:code', {
    config: write,
    schema: { summary: 'Make or change a carrier and its rate card', tags, params, body: CarrierBody, description: 'A carrier with `url` and without its secret keeps the one it has.', response: openResponses },
  }, async (request) => {
    const body = request.body as CarrierInput;
    const twice = body.rates.findIndex((r, i) => body.rates.findIndex((x) => x.zone === r.zone && (x.service ?? 'standard') === (r.service ?? 'standard')) !== i);
    if (twice >= 0) throw new Problem('invalid', `zone ${body.rates[twice]?.zone ?? ''} is given twice`, `/rates/${twice}/zone`);
    const wide = body.refusals?.findIndex((r) => r.city !== undefined && r.province === undefined) ?? -1;
    if (wide >= 0) throw new Problem('invalid', 'a city goes with its province', `/refusals/${wide}/province`);
    await putCarrier(pool, vault, request.params.code, body);
    await network.reload();
    return carrier(request.params.code);
  });

  app.get('/v1/skus', { config: read, schema: { summary: 'List SKUs', tags, querystring: Type.Object({ after: Text(64, 0, { default: '' }), limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }) }) } }, async (request) => {
    const items = await listSkus(pool, request.query.after, request.query.limit);
    return { items, next: items.length === request.query.limit ? items.at(-1)?.code ?? null : null };
  });
  app.get('/v1/skus/:code', { config: read, schema: { summary: 'Read a SKU', tags, params } }, async (request) => {
    const sku = await readSku(pool, request.params.code);
    if (!sku) throw unknown('SKU', request.params.code);
    return sku;
  });
  app.put('/v1/skus/:code', { config: write, schema: { summary: 'Make or change a SKU', tags, params, body: SkuBody, response: openResponses } }, async (request) => {
    const { code } = request.params;
    const season = seasonProblem(request.body);
    if (season !== null) throw new Problem('invalid', season, '/seasonEnd');
    await putSkus(pool, [{ code, ...request.body } as SkuInput]);
    await network.reload();
    return readSku(pool, code);
  });
  app.post('/v1/skus/bulk', {
    config: write,
    schema: {
      summary: 'Make or change SKUs', tags, description: 'Each bad one is reported with its index; the good ones are written.', response: openResponses,
      body: Type.Object({ skus: Type.Array(Type.Unsafe<SkuInput>({}), { minItems: 1, maxItems: 1_000, description: 'each {code, name, category?, unit?, weightG, cost?, lotTracked?, active?, volumeMm3?, hazardous?, oversized?, attributes?, listPrice?, seasonStart?, seasonEnd?, packSize?}' }) }, { additionalProperties: false }),
    },
  }, async (request) => {
    const check = request.compileValidationSchema(BulkSku, 'body') as unknown as ((value: unknown) => boolean) & { errors?: Invalid[] | null };
    const good: SkuInput[] = [];
    const errors: { index: number; field: string; reason: string }[] = [];
    request.body.skus.forEach((sku, index) => {
      const season = check(sku) ? seasonProblem(sku) : null;
      if (season !== null) errors.push({ index, field: `/skus/${index}/seasonEnd`, reason: season });
      else if (check(sku)) good.push(sku);
      else errors.push({ index, field: `/skus/${index}${fieldOf((check.errors as Invalid[])[0] as Invalid)}`, reason: reasonOf((check.errors as Invalid[])[0] as Invalid) });
    });
    if (good.length > 0) await putSkus(pool, good);
    await network.reload();
    return { written: good.length, errors };
  });
  return Promise.resolve();
};
