import { createHmac } from 'node:crypto';
import type { CourierParcel, CourierStep } from '../courier/courier.ts';
import type { CourierHost, CourierProtocol } from '../courier/protocol.ts';
import { plainPdf, underFaults } from '../courier/start-courier.ts';

const WORDS: Partial<Record<CourierStep, string>> = {
  picked_up: 'in_transit', in_transit: 'in_transit', customs: 'in_transit', out_for_delivery: 'out_for_delivery', ready_for_pickup: 'available_for_pickup', attempt_failed: 'failure', exception: 'error', returning: 'return_to_sender', returned: 'delivered', delivered: 'delivered',
};
type Shipment = { id: string; reference: string; rates: { id: string; carrier: string; service: string; rate: string }[]; parcel: CourierParcel | null; refund: string | null };

function tracker(parcel: CourierParcel) {
  return {
    id: `trk_${parcel.no}`, object: 'Tracker', mode: 'test', tracking_code: parcel.no, carrier: parcel.carrier, status: parcel.routes.at(-1) ? WORDS[parcel.routes.at(-1)?.step ?? 'in_transit'] : 'pre_transit', weight: 17.6,
    tracking_details: parcel.routes.map((r) => ({ object: 'TrackingDetail', message: r.remark, status: WORDS[r.step], status_detail: r.step, datetime: new Date(r.at).toISOString().replace('.000Z', 'Z'), source: parcel.carrier, tracking_location: { object: 'TrackingLocation', city: r.place, state: null, country: null, zip: null } })),
  };
}

const shipments = new WeakMap<CourierHost['counts'], Map<string, Shipment>>();
const of = (host: CourierHost): Map<string, Shipment> => {
  let map = shipments.get(host.counts);
  if (!map) shipments.set(host.counts, (map = new Map()));
  return map;
};

/** EasyPost: shipments, postage that is bought once, refunds, trackers, and events signed over their bytes. */
export const easypost: CourierProtocol = {
  batch: 1, retries: [300_000, 600_000, 1_200_000], deadlineMs: 7_000, word: (step) => WORDS[step] ?? null,
  acknowledged: (status) => status >= 200 && status < 300,
  push([event], host, { bad }) {
    if (!event?.parcel.followed) return null;
    const body = JSON.stringify({ object: 'Event', id: `evt_${event.id}`, mode: 'test', description: 'tracker.updated', previous_attributes: {}, status: 'pending', created_at: new Date(event.route.at).toISOString(), result: tracker(event.parcel) }).replace('"weight":17.6', '"weight":17.60');
    const key = Buffer.from(bad === 'forged' ? 'guess' : String(host.settings['webhookSecret']).normalize('NFKD'));
    const signature = `hmac-sha256-hex=${createHmac('sha256', key).update(body).digest('hex')}`;
    return { headers: { 'content-type': 'application/json', 'x-hmac-signature': signature }, body: bad === 'truncated' ? body.slice(0, -15) : body };
  },
  routes(app, host) {
    const { courier, settings } = host;
    app.addHook('preHandler', async (request, reply) => {
      if (request.url.startsWith('/labels/')) return undefined;
      const [user] = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString().split(':');
      return user === settings['apiKey'] ? undefined : reply.code(401).send({ error: { code: 'UNAUTHORIZED', message: 'key' } });
    });
    type Said = { status: number; body: object };
    const said = (status: number, body: object): Said => ({ status, body });
    const error = (status: number, code: string): Said => said(status, { error: { code, message: code, errors: [] } });
    const words = { down: () => error(503, 'SERVICE.UNAVAILABLE'), throttled: () => error(429, 'RATE_LIMITED') };
    const view = (s: Shipment) => ({
      id: s.id, object: 'Shipment', reference: s.reference, rates: s.rates, tracking_code: s.parcel?.no ?? null, refund_status: s.refund,
      postage_label: s.parcel ? { object: 'PostageLabel', label_url: `${host.url()}/labels/${s.parcel.no}`, label_pdf_url: `${host.url()}/labels/${s.parcel.no}`, label_file_type: 'application/pdf' } : null,
    });
    const on = (method: 'GET' | 'POST', url: string, writes: boolean, run: (params: Record<string, string>, body: Record<string, Record<string, unknown>>, query: Record<string, string>) => Said) => app.route({
      method, url, handler: async (request, reply) => {
        const text = String(request.body ?? '');
        const { status, body } = await underFaults(host, writes, words, () => run(request.params as Record<string, string>, text === '' || text === 'null' ? {} : JSON.parse(text) as Record<string, Record<string, unknown>>, request.query as Record<string, string>));
        return reply.code(status).send(body);
      },
    });
    const find = (id: string | undefined): Shipment | undefined => of(host).get(id ?? '');

    on('POST', '/v2/shipments', false, (_p, body) => {
      const given = body['shipment'] as { reference?: string; to_address?: { street1?: string; zip?: string }; from_address?: { street1?: string; name?: string }; parcel?: { weight?: number } } | undefined;
      if (!given?.to_address?.street1 || !given.from_address?.street1 || !given.from_address.name || !(Number(given.parcel?.weight) > 0)) return error(422, 'SHIPMENT.INVALID_PARAMS');
      const id = `shp_${courier.serial().toString(16).padStart(32, '0')}`;
      const carriers = Object.values((settings['carriers'] ?? {}) as Record<string, string>);
      const rates = carriers.flatMap((carrier, i) => [['GroundAdvantage', '5.93'], ['Priority', '7.90']].map(([service, rate], j) => ({ id: `rate_${id}_${i}${j}`, object: 'Rate', carrier, service: service ?? '', rate: rate ?? '', currency: 'USD' })));
      const made: Shipment = { id, reference: String(given.reference ?? ''), rates, parcel: null, refund: null };
      of(host).set(id, made);
      return said(201, view(made));
    });
    on('GET', '/v2/shipments/:id', false, ({ id }) => { const s = find(id); return s ? said(200, view(s)) : error(404, 'NOT_FOUND'); });
    on('POST', '/v2/shipments/:id/buy', true, ({ id }, body) => {
      const s = find(id);
      if (!s) return error(404, 'NOT_FOUND');
      if (s.parcel) return error(422, 'SHIPMENT.POSTAGE.EXISTS');
      const rate = s.rates.find((r) => r.id === body['rate']?.['id']);
      if (!rate) return error(422, 'SHIPMENT.RATE.NOT_FOUND');
      s.parcel = courier.issue('9400', rate.carrier, s.reference);
      s.parcel.followed = true;
      return said(200, view(s));
    });
    on('POST', '/v2/shipments/:id/refund', true, ({ id }) => {
      const s = find(id);
      if (!s?.parcel) return error(422, 'SHIPMENT.REFUND.UNAVAILABLE');
      if (s.parcel.status === 'issued') s.parcel.status = 'cancelled';
      s.refund = s.parcel.status === 'cancelled' ? 'submitted' : 'rejected';
      return said(200, view(s));
    });
    on('POST', '/v2/trackers', true, (_p, body) => {
      const { tracking_code: code, carrier } = body['tracker'] ?? {};
      if (typeof code !== 'string' || typeof carrier !== 'string') return error(422, 'TRACKER.CREATE.ERROR');
      const parcel = courier.parcels.get(code) ?? courier.know(code, carrier);
      parcel.followed = true;
      return said(201, tracker(parcel));
    });
    on('GET', '/v2/trackers', false, (_p, _b, query) => {
      const parcel = courier.parcels.get(query['tracking_code'] ?? '');
      return said(200, { trackers: parcel && parcel.carrier === query['carrier'] ? [tracker(parcel)] : [], has_more: false });
    });
    app.get('/labels/:no', (request, reply) => reply.header('content-type', 'application/pdf').send(plainPdf(`EasyPost label of ${(request.params as { no: string }).no}`)));
  },
};
