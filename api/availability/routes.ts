import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from '@sinclair/typebox';
import { availability, bundleAvailability, type SkuAvailability } from '../../db/read/availability.ts';
import type { ApiKey, Location, Network } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { Place } from '../../domain/geo.ts';
import type { ApiDeps } from '../deps.ts';
import { AvailabilityQuery, AvailabilityResponse } from './schema.ts';

const MOST_SKUS = 100;
type Query = Static<typeof AvailabilityQuery>;
const NOTHING: SkuAvailability = { now: 0, total: 0, incoming: [], byKind: {}, places: new Map() };
const NOTHING_BORROWED: ReadonlyMap<string, number> = new Map();

/** The location that is asked about; for a key of another one it is as unknown as none. */
function locationOf(network: Network, key: ApiKey, { way, location: code }: Query): Location | null {
  const field = '/querystring/location';
  if (way === 'ship') {
    if (code !== undefined) throw new Problem('invalid', 'way ship takes a destination (country, province, city), not a location', field);
    return null;
  }
  if (code === undefined) throw new Problem('invalid', `way ${way} needs a location`, field);
  const location = network.locations.get(code);
  if (key.locationId !== null && location?.id !== key.locationId) throw new Problem('not_found', `location "${code}" is not known`, field);
  if (!location?.active) throw new Problem('unknown_location', `location "${code}" is not known or not active`, field);
  return location;
}

function destinationOf(network: Network, { way, country, province, city }: Query): Place | null {
  if (country === undefined && province === undefined && city === undefined) return null;
  if (way !== 'ship') throw new Problem('invalid', `way ${way} takes a location, not a destination`, `/querystring/${country !== undefined ? 'country' : province !== undefined ? 'province' : 'city'}`);
  if (city !== undefined && province === undefined) throw new Problem('invalid', 'a city needs its province', '/querystring/province');
  if ((country ?? 'CN') === 'CN' && province === undefined) throw new Problem('invalid', 'a destination needs its province', '/querystring/province');
  return network.place(country ?? 'CN', province ?? '', city ?? '');
}

/** The virtual total warehouse as a channel sees it. */
export const availabilityRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, projection, writer } = store;
  app.get('/v1/availability', {
    config: { scope: 'stock:read' },
    schema: {
      summary: 'What a channel may sell', tags: ['stock'], querystring: AvailabilityQuery, response: AvailabilityResponse,
      description: 'Now, incoming by date (within the channel\'s horizon) and total, with the split by kind of location: own allotment, its overflow, what locations share, lots with enough life. A bundle is as many as its components make up; ask these for dates and kinds. From memory: all that was committed before `asOf` is counted, `lagMs` ago; capture is the judge.',
    },
  }, async (request) => {
    const { query, apiKey } = request;
    const channel = network.channels.get(query.channel);
    if (!channel?.active) throw new Problem('unknown_channel', `channel "${query.channel}" is not known or not active`, '/querystring/channel');
    const codes = [...new Set(query.sku.split(',').filter(Boolean))];
    if (codes.length === 0 || codes.length > MOST_SKUS) throw new Problem('invalid', `${codes.length} SKUs are asked for; ask for 1 to ${MOST_SKUS} at once`, '/querystring/sku');
    const at = locationOf(network, apiKey, query);
    const destination = destinationOf(network, query);
    await network.loadSkus(codes);
    const known = codes.flatMap((code) => { const sku = network.knownSku(code); return sku?.active ? [sku] : []; });
    const borrowed = network.chain(network.allotmentOf(channel.id)).some((link) => link.borrow) ? await projection.borrowed() : NOTHING_BORROWED;
    // A bundle is what its components make up.
    const asked = [...new Set(known.flatMap((s) => { const parts = network.components(s.id); return parts.length > 0 ? parts.map((p) => p.sku.id) : [s.id]; }))];
    const found = availability(network, projection, borrowed, { channel, way: query.way, at, destination, onlyAt: apiKey.locationId, places: query.locations, now: writer.clock() }, asked);
    const byId = new Map(asked.map((id, i) => [id, found[i] as SkuAvailability]));
    const bySku = new Map(known.map((s) => {
      const parts = network.components(s.id);
      return [s.code, (parts.length > 0 ? bundleAvailability(parts.map((p) => ({ quantity: p.quantity, units: byId.get(p.sku.id) ?? NOTHING }))) : byId.get(s.id)) ?? NOTHING];
    }));
    return {
      channel: channel.code, way: query.way, asOf: new Date(projection.asOf).toISOString(), lagMs: Math.max(0, Math.round(Date.now() - projection.asOf)),
      skus: codes.map((code) => {
        const { places, ...units } = bySku.get(code) ?? NOTHING;
        return { sku: code, known: network.knownSku(code) !== undefined, ...units, ...(query.locations ? { locations: placesOf(network, places) } : {}) };
      }),
    };
  });
  return Promise.resolve();
};

function placesOf(network: Network, units: SkuAvailability['places']): { location: string; kind: string; now: number; total: number }[] {
  return [...units].map(([id, u]) => ({ location: network.locationById.get(id)?.code ?? '', kind: network.locationById.get(id)?.kind ?? '', ...u })).sort((a, b) => (a.location < b.location ? -1 : 1));
}
