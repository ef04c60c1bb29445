import { createHash } from 'node:crypto';
import type { CourierParcel, CourierStep } from '../courier/courier.ts';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

const STAGES: Record<CourierStep, string> = {
  picked_up: 'PickedUp', in_transit: 'InTransit', customs: 'InTransit', out_for_delivery: 'OutForDelivery', ready_for_pickup: 'AvailableForPickup', attempt_failed: 'DeliveryFailure', exception: 'Exception', returning: 'Returning', returned: 'Returned', delivered: 'Delivered',
};
const digest = (body: string, key: string): string => createHash('sha256').update([body, key].join('/'), 'utf8').digest('hex');

function info(parcel: CourierParcel) {
  const last = parcel.routes.at(-1);
  const events = [...parcel.routes].reverse().map((r) => ({ time_iso: new Date(r.at + 8 * 3_600_000).toISOString().replace('.000Z', '+08:00'), time_utc: new Date(r.at).toISOString().replace('.000Z', 'Z'), description: r.remark, location: r.place, stage: STAGES[r.step], sub_status: null }));
  return {
    number: parcel.no, carrier: Number(parcel.carrier), tag: '', track_info: {
      shipping_info: {}, latest_status: { status: last ? STAGES[last.step] : 'NotFound', sub_status: null }, latest_event: events[0] ?? null, milestone: [], tracking: { providers_hash: 1, providers: [{ provider: { key: Number(parcel.carrier) }, events }] },
    },
  };
}

/** It stays registered, and only `retrack` brings it back. */
const stopped = (parcel: CourierParcel): boolean => parcel.extra['stoppedAt'] !== undefined;

/** 17TRACK: registered numbers, and a signed event with everything known for each change. */
export const track17: CourierProtocol = {
  batch: 1, retries: [600_000, 600_000, 600_000], deadlineMs: 5_000, word: (step) => STAGES[step],
  acknowledged: (status) => status === 200,
  push([event], host, { bad }) {
    if (!event?.parcel.followed || (stopped(event.parcel) && !event.gaveUp)) return null;
    const body = JSON.stringify({ event: event.gaveUp ? 'TRACKING_STOPPED' : 'TRACKING_UPDATED', data: info(event.parcel) });
    return { headers: { 'content-type': 'application/json', sign: digest(body, bad === 'forged' ? 'guess' : String(host.settings['apiKey'])) }, body: bad === 'truncated' ? body.slice(0, -12) : body };
  },
  routes(app, host) {
    const { courier, settings } = host;
    app.post('/track/v2.2/:method', async (request, reply) => {
      const { method } = request.params as { method: string };
      const { status, body } = await underFaults(host, method === 'register', { down: () => ({ status: 503, body: {} }), throttled: () => ({ status: 429, body: {} }) }, () => {
        if (request.headers['17token'] !== settings['apiKey']) return { status: 401, body: { code: -18010002, data: { errors: [{ code: -18010002, message: 'key' }] } } };
        const wanted = JSON.parse(String(request.body)) as { number: string; carrier?: number }[];
        if (wanted.length === 0 || wanted.length > 40) return { status: 200, body: { code: -18010014, data: {} } };
        const accepted: object[] = [];
        const rejected: object[] = [];
        for (const { number, carrier } of wanted) {
          const reject = (code: number): void => { rejected.push({ number, error: { code, message: String(code) } }); };
          const parcel = courier.parcels.get(number) ?? (method === 'register' ? courier.know(number, String(carrier ?? 190271)) : undefined);
          if (method === 'register' && parcel) {
            if (parcel.followed) reject(-18019901);
            else {
              parcel.followed = true;
              accepted.push({ origin: 1, number, carrier });
            }
          } else if (method === 'retrack') {
            if (!parcel?.followed) reject(-18019902);
            else if (!stopped(parcel)) reject(-18019904);
            else {
              delete parcel.extra['stoppedAt'];
              accepted.push({ number, carrier: Number(parcel.carrier) });
            }
          } else if (method === 'gettrackinfo') {
            if (!parcel?.followed) reject(-18019902);
            else if (parcel.routes.length === 0) reject(-18019909);
            else accepted.push(info(parcel));
          } else reject(-18010010);
        }
        return { status: 200, body: { code: 0, data: { accepted, rejected } } };
      });
      return reply.code(status).send(body);
    });
  },
};
