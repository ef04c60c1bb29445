import { createHmac, timingSafeEqual } from 'node:crypto';
import { PartnerRefused, textField } from '../../domain/http-port.ts';
import { MILESTONES } from '../../domain/order/milestone.ts';
import { jsonReply, type Account, type CarrierConnector, type CarrierEvent, type CarrierIo, type Push, type Received } from '../carrier.ts';
import { bag, isoTime, list, parseJson } from '../read.ts';

/** Standard Webhooks: a push signed longer ago may be somebody's copy. */
const WINDOW_S = 300;
const BATCH = 100;

/** A carrier that speaks `docs/partner-protocol.md`. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const secret = account.secrets['secret'] ?? null;
  const base = `${String(account.settings['baseUrl']).replace(/\/$/, '')}/v1/waybills`;
  const post = (path: string, body: unknown, messageId: string) => io.signed({ method: 'POST', url: base + path, body, secret, messageId });
  return {
    receive: (push) => receive(push, secret),
    async createWaybill({ carrier: _carrier, order: _order, from: { city, province }, ...request }) {
      const { status, body } = await post('', { ...request, from: { city, province } }, `waybill-${request.requestId}`);
      const waybillNo = textField(body, 'waybillNo');
      if ((status === 200 || status === 201) && waybillNo !== null) return { waybillNo };
      throw new PartnerRefused(status, `the carrier refused the parcel (${status})`);
    },
    async cancelWaybill({ waybillNo }, reason) {
      if (waybillNo === null) throw new PartnerRefused(0, 'this carrier takes back a waybill by its number only, and none was received');
      const { status, body } = await post(`/${encodeURIComponent(waybillNo)}/cancel`, { reason }, `cancel-${waybillNo}`);
      if (status === 404) return 'cancelled';
      const outcome = textField(body, 'outcome');
      if (status === 200 && (outcome === 'cancelled' || outcome === 'refused')) return outcome;
      throw new PartnerRefused(status, `the carrier did not cancel the waybill (${status})`);
    },
    async events({ waybillNo }) {
      const { status, body } = await io.signed({ method: 'GET', url: `${base}/${encodeURIComponent(waybillNo)}/events`, secret, messageId: `events-${waybillNo}` });
      if (status === 404) return [];
      if (status !== 200) throw new PartnerRefused(status, `the carrier did not give the history (${status})`);
      return list(bag(body)['events']).flatMap((e) => event(e, waybillNo) ?? []);
    },
    async intercept(waybillNo, requestId, reason) {
      const { status, body } = await post(`/${encodeURIComponent(waybillNo)}/intercept`, { requestId, reason }, `intercept-${requestId}`);
      const outcome = textField(body, 'outcome');
      if ((status === 200 || status === 202) && (outcome === 'accepted' || outcome === 'refused')) return { outcome, reason: textField(body, 'reason') };
      throw new PartnerRefused(status, `the carrier did not answer the interception (${status})`);
    },
  };
}

function event(e: unknown, waybill: string | null): CarrierEvent | null {
  const [eventId, status, occurredAt, waybillNo] = [textField(e, 'eventId'), textField(e, 'status'), isoTime(textField(e, 'occurredAt')), waybill ?? textField(e, 'waybillNo')];
  const milestone = MILESTONES.find((m) => m === status);
  const [description, city] = [textField(e, 'description'), textField(e, 'city')];
  if (eventId === null || milestone === undefined || occurredAt === null || waybillNo === null) return null;
  return { eventId, waybillNo, status: milestone, source: milestone, occurredAt, ...(description === null ? {} : { description }), ...(city === null ? {} : { city }) };
}

/** Standard Webhooks: base64 of HMAC-SHA256 over `id.timestamp.body`, key: base64 after `whsec_`. */
function verdict(secret: string, push: Push): 'good' | 'signature' | 'stale' | 'malformed' {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = push.headers;
  if (id === undefined || timestamp === undefined || signatures === undefined || !/^\d{1,12}$/.test(timestamp)) return 'malformed';
  const right = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64')).update(`${id}.${timestamp}.`).update(push.body).digest();
  const good = signatures.split(' ').some((s) => {
    const given = s.startsWith('v1,') ? Buffer.from(s.slice(3), 'base64') : Buffer.alloc(0);
    return given.length === right.length && timingSafeEqual(given, right);
  });
  if (!good) return 'signature';
  return Math.abs(push.now / 1000 - Number(timestamp)) > WINDOW_S ? 'stale' : 'good';
}

function receive(push: Push, secret: string | null): Received {
  const found = secret === null ? 'signature' : verdict(secret, push);
  if (found !== 'good') return { kind: 'rejected', reason: found, reply: jsonReply(401, { code: found }) };
  const given = list(bag(parseJson(push.body.toString('utf8')))['events']);
  const events = given.flatMap((e) => event(e, null) ?? []);
  if (given.length === 0 || given.length > BATCH || events.length !== given.length) return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { code: 'malformed' }) };
  return { kind: 'events', events, reply: jsonReply(200, { ok: true }), failed: jsonReply(503, { ok: false }) };
}
