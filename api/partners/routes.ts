import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { applyLocationEvent, type LocationEvent } from '../../db/fulfillment/location-events.ts';
import { trackParcels, type TrackingNews } from '../../db/fulfillment/track-parcels.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, problemResponses } from '../schemas/common.ts';
import { LocationEventSchema, TrackingSchema } from './schema.ts';

/** A moment in one form, UTC, so that it can be compared and stored. ISO 8601 has moments that JavaScript or PostgreSQL lack. */
function moment(text: string, field: string): string {
  const at = new Date(text);
  const year = at.getUTCFullYear();
  if (year >= 1900 && year <= 9999) return at.toISOString();
  throw new Problem('unprocessable', 'no such moment: ISO 8601 with hours and minutes of the offset, years 1900 to 9999', field);
}

/** What locations and carriers tell us (docs/partner-protocol.md). A bound key speaks only for its own. */
export const partnerRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  app.post('/v1/partners/locations/:code/events', {
    config: { scope: 'fulfillment:write' },
    schema: {
      summary: 'A location reports on a fulfillment order', tags: ['partners'],
      description: 'One event a request, idempotent by eventId. `goods_issue` is a question: only `handOver: allowed` lets the parcels leave; 409 `handover_blocked` keeps them.',
      params: Type.Object({ code: Code }), body: LocationEventSchema,
      response: { 200: Type.Object({ ok: Type.Boolean(), handOver: Type.Optional(Type.String()) }), ...problemResponses },
    },
  }, async (request) => {
    const location = store.network.locations.get(request.params.code);
    const bound = request.apiKey.locationId;
    if (!location || (bound !== null && bound !== location.id)) throw new Problem('not_found', `location "${request.params.code}" does not exist`);
    const event = request.body as LocationEvent;
    return applyLocationEvent(store.writer, location.id, `location:${location.code}`, { ...event, occurredAt: moment(event.occurredAt, '/occurredAt') });
  });

  app.post('/v1/partners/carriers/:code/tracking', {
    config: { scope: 'tracking:write' },
    schema: {
      summary: 'A carrier pushes tracking', tags: ['partners'], description: 'Any order, duplicates welcome; each eventId counts once.',
      params: Type.Object({ code: Code }), body: TrackingSchema,
      response: { 200: Type.Object({ accepted: Type.Integer(), duplicates: Type.Integer(), unknown: Type.Integer() }), ...problemResponses },
    },
  }, async (request) => {
    const carrier = store.network.carriers.get(request.params.code);
    const bound = request.apiKey.carrier;
    if (!carrier || (bound !== null && bound !== carrier.code)) throw new Problem('not_found', `carrier "${request.params.code}" does not exist`);
    const news = request.body.events as TrackingNews[];
    return trackParcels(store.writer, carrier.code, news.map((n, i) => ({ ...n, occurredAt: moment(n.occurredAt, `/events/${i}/occurredAt`) })));
  });
  return Promise.resolve();
};
