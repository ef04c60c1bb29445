import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { CourierEvent } from '../courier/courier.ts';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';
import { decodeSecret, sign, verify } from '../shared/signing.ts';

const tell = ({ parcel, route }: CourierEvent) => ({ eventId: route.id, waybillNo: parcel.no, status: route.step, description: route.remark, city: route.place, occurredAt: new Date(route.at).toISOString() });

/** The carrier of docs/partner-protocol.md that pushes with a Standard Webhooks signature. */
export const genericCarrier: CourierProtocol = {
  batch: 100, retries: [1_000, 2_000, 4_000, 8_000, 16_000], deadlineMs: 10_000, word: (step) => step,
  acknowledged: (status) => status === 200,
  push(events, host, { bad, at }) {
    const body = JSON.stringify({ events: events.map(tell) });
    const [id, stamp] = [`msg_${randomUUID()}`, Math.floor((at ?? host.clock()) / 1000)];
    const key = bad === 'forged' ? Buffer.from('somebody else') : decodeSecret(String(host.settings['secret']));
    return { headers: { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': String(stamp), 'webhook-signature': sign(key, id, stamp, body) }, body: bad === 'truncated' ? body.slice(0, -9) : body };
  },
  routes(app, host) {
    const { courier } = host;
    const key = decodeSecret(String(host.settings['secret']));
    app.addHook('preHandler', async (request, reply) => {
      const h = (name: string): string | undefined => { const v = request.headers[name]; return typeof v === 'string' ? v : undefined; };
      const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      // Our own clock: callers sign by theirs, which may be a test's.
      const verdict = verify(key, { id: h('webhook-id'), timestamp: h('webhook-timestamp'), signature: h('webhook-signature') }, raw, Number(h('webhook-timestamp')));
      if (!verdict.ok) return reply.code(401).send({ code: 'bad_signature' });
      return undefined;
    });
    type Said = { status: number; body: object };
    const said = (status: number, body: object = {}): Said => ({ status, body });
    const words = { down: () => said(503), throttled: () => said(429) };
    const json = (request: FastifyRequest) => JSON.parse(String(request.body)) as Record<string, unknown>;
    const parcelOf = (request: FastifyRequest) => courier.parcels.get((request.params as { no: string }).no);
    const route = (method: 'GET' | 'POST', url: string, run: (request: FastifyRequest) => Said) => app.route({
      method, url, handler: async (request, reply) => {
        const { status, body } = await underFaults(host, method === 'POST', words, () => run(request));
        return reply.code(status).send(body);
      },
    });
    route('POST', '/v1/waybills', (request) => {
      const body = json(request);
      const before = courier.byOrder.get(String(body['requestId']));
      const parcel = before ?? courier.issue('GEN', 'generic', String(body['requestId']), { request: body });
      return said(before ? 200 : 201, { waybillNo: parcel.no });
    });
    route('POST', '/v1/waybills/:no/cancel', (request) => {
      const parcel = parcelOf(request);
      if (!parcel) return said(404);
      if (parcel.status === 'issued') parcel.status = 'cancelled';
      return said(200, { outcome: parcel.status === 'cancelled' ? 'cancelled' : 'refused' });
    });
    route('POST', '/v1/waybills/:no/intercept', (request) => said(200, { outcome: parcelOf(request)?.status === 'delivered' ? 'refused' : 'accepted' }));
    route('GET', '/v1/waybills/:no/events', (request) => {
      const parcel = parcelOf(request);
      return parcel ? said(200, { events: parcel.routes.map((r) => tell({ id: r.id, parcel, route: r })) }) : said(404);
    });
  },
};
