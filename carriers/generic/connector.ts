import { createHmac, timingSafeEqual } from 'node:crypto';
import { PartnerRefused, textField } from '../../domain/http-port.ts';
import { MILESTONES } from '../../domain/order/milestone.ts';
import { standardWebhook } from '../../domain/webhooks/standard-webhook.ts';
import { jsonReply, type Account, type CarrierConnector, type CarrierEvent, type CarrierIo, type Push, type Received } from '../carrier.ts';
import { bag, isoTime, list, parseJson } from '../read.ts';

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

/** Keys of Standard Webhooks are base64 after `whsec_`. */
const signedBy = (secret: string, body: Buffer) => (prefix: string, base64: string): boolean => {
  const right = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64')).update(prefix).update(body).digest();
  const given = Buffer.from(base64, 'base64');
  return given.length === right.length && timingSafeEqual(given, right);
};

function receive(push: Push, secret: string | null): Received {
  const found = secret === null ? 'signature' : standardWebhook(push.headers, push.now, 'v1', signedBy(secret, push.body));
  if (found !== 'good') return { kind: 'rejected', reason: found, reply: jsonReply(401, { code: found }) };
  const given = list(bag(parseJson(push.body.toString('utf8')))['events']);
  const events = given.flatMap((e) => event(e, null) ?? []);
  if (given.length === 0 || given.length > BATCH || events.length !== given.length) return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { code: 'malformed' }) };
  return { kind: 'events', events, reply: jsonReply(200, { ok: true }), failed: jsonReply(503, { ok: false }) };
}
