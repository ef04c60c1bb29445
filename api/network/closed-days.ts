import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { putClosedDays, readClosedDays } from '../../db/network-admin/closed-days.ts';
import type { Location } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, problemResponses, Text } from '../schemas/common.ts';

const params = Type.Object({ code: Code });
const Days = Type.Array(Type.Object({ day: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'a calendar day where the location is' }), reason: Text(100) }, { additionalProperties: false }), { maxItems: 400 });
const response = { 200: Type.Object({ location: Type.String(), days: Days }), ...problemResponses };

/** Holidays and other days on which a location does not work. */
export const closedDayRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { network, pool, writer } }) => {
  const own = (code: string, onlyAt: number | null): Location => {
    const location = network.locations.get(code);
    if (!location || (onlyAt !== null && onlyAt !== location.id)) throw new Problem('not_found', `location "${code}" does not exist`);
    return location;
  };
  const view = async (l: Location) => ({ location: l.code, days: await readClosedDays(pool, l.id, writer.clock()) });
  app.get('/v1/locations/:code/closed-days', { config: { scope: 'network:read' }, schema: { summary: "Read a location's closed days", tags: ['network'], params, response } },
    (request) => view(own(request.params.code, request.apiKey.locationId)));
  app.put('/v1/locations/:code/closed-days', {
    config: { scope: 'network:write' },
    schema: {
      summary: "Say on which days a location is closed", tags: ['network'], params, response, body: Type.Object({ days: Days }, { additionalProperties: false }),
      description: 'In place of those to come that were said before. Nothing is promised, handed over or ready for pickup on such a day. A key that is bound to a location says it of its own.',
    },
  }, async (request) => {
    const location = own(request.params.code, request.apiKey.locationId);
    await putClosedDays(writer, location.id, request.body.days);
    await network.reload(false);
    return view(location);
  });
  return Promise.resolve();
};
