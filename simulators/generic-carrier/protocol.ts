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
    const words = (reply: { code(status: number): { send(body: unknown): unknown } }) => ({ down: () => reply.code(503).send({}), throttled: () => reply.code(429).send({}) });
    const json = (request: FastifyRequest) => JSON.parse(String(request.body)) as Record<string, unknown>;
    const no = (request: FastifyRequest) => (request.params as { no: string }).no;
    app.post('/v1/waybills', (request, reply) => underFaults(host, true, words(reply), () => {
      const body = json(request);
      const before = courier.byOrder.get(String(body['requestId']));
      const parcel = before ?? courier.issue('GEN', 'generic', String(body['requestId']), { request: body });
      return reply.code(before ? 200 : 201).send({ waybillNo: parcel.no });
    }));
    app.post('/v1/waybills/:no/cancel', (request, reply) => underFaults(host, true, words(reply), () => {
      const parcel = courier.parcels.get(no(request));
      if (!parcel) return reply.code(404).send({});
      if (parcel.status === 'issued') parcel.status = 'cancelled';
      return reply.send({ outcome: parcel.status === 'cancelled' ? 'cancelled' : 'refused' });
    }));
    app.post('/v1/waybills/:no/intercept', (request, reply) => underFaults(host, true, words(reply), () => {
      const parcel = courier.parcels.get(no(request));
      return reply.send({ outcome: parcel && parcel.status !== 'delivered' ? 'accepted' : 'refused' });
    }));
    app.get('/v1/waybills/:no/events', (request, reply) => underFaults(host, false, words(reply), () => {
      const parcel = courier.parcels.get(no(request));
      return parcel ? reply.send({ events: parcel.routes.map((route) => tell({ id: route.id, parcel, route })) }) : reply.code(404).send({});
    }));
  },
};
