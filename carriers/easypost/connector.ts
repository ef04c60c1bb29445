import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { jsonReply, type Account, type CarrierConnector, type CarrierIo, type Push, type Received, type WaybillRequest } from '../carrier.ts';
import { bag, list, parseJson, same, text, textMap, type Bag } from '../read.ts';
import { webhookSignature } from './sign.ts';
import { eventsOf } from './tracker.ts';

/** Grams in an ounce (international avoirdupois). */
const OUNCE_G = 28.349523125;
const BOUGHT = 'SHIPMENT.POSTAGE.EXISTS';

/** EasyPost. A shipment costs nothing and is kept before it is bought, so that whatever happens one and the same shipment is bought. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const base = `${String(settings['baseUrl']).replace(/\/$/, '')}/v2`;
  const carriers = textMap(settings['carriers']);
  const headers = { authorization: `Basic ${Buffer.from(`${secrets['apiKey'] ?? ''}:`).toString('base64')}`, 'content-type': 'application/json', accept: 'application/json' };

  async function call(family: string, method: 'GET' | 'POST', path: string, body?: unknown): Promise<{ status: number; body: Bag; code: string }> {
    const answer = await io.call({ family, method, url: base + path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const given = parseJson(answer.text);
    if (given === null) throw new PartnerUnavailable(`EasyPost did not answer in JSON (${answer.status})`);
    return { status: answer.status, body: bag(given), code: text(bag(bag(given)['error'])['code']) ?? '' };
  }
  const good = (what: string, { status, body, code }: Awaited<ReturnType<typeof call>>): Bag => {
    if (status < 300) return body;
    throw new PartnerRefused(status, `EasyPost refused ${what}: ${code || status}`);
  };
  const shipment = async (id: string): Promise<Bag> => good('the shipment', await call('shipment', 'GET', `/shipments/${encodeURIComponent(id)}`));

  async function buy(id: string, rate: string): Promise<Bag> {
    const answer = await call('buy', 'POST', `/shipments/${encodeURIComponent(id)}/buy`, { rate: { id: rate } });
    return answer.code === BOUGHT ? shipment(id) : good('the postage', answer);
  }

  return {
    receive: (push) => receive(account, push),
    async createWaybill(request, draft) {
      let made: Bag | null = null;
      let id = draft.kept;
      if (id === null) {
        made = good('the shipment', await call('shipment', 'POST', '/shipments', { shipment: content(settings, request) }));
        const own = text(made['id']);
        if (own === null) throw new PartnerUnavailable('EasyPost gave no shipment id');
        id = await draft.keep(own);
        if (id !== own) made = null; // somebody else asked at the same time
      }
      made ??= await shipment(id);
      const bought = text(made['tracking_code']) === null ? await buy(id, rateOf(made, carriers[request.carrier ?? ''], textMap(settings['services'])[request.service])) : made;
      const waybillNo = text(bought['tracking_code']);
      if (waybillNo === null) throw new PartnerUnavailable('EasyPost has not given a tracking code yet');
      return { waybillNo };
    },
    async label({ draft }) {
      const label = bag((await shipment(draft ?? ''))['postage_label']);
      const url = text(label['label_pdf_url']) ?? text(label['label_url']);
      if (url === null) throw new PartnerRefused(422, 'EasyPost gives no label as PDF for this shipment');
      const answer = await io.call({ family: 'label', method: 'GET', url });
      if (answer.status !== 200 || !answer.bytes) throw new PartnerUnavailable(`the label could not be fetched (${answer.status})`);
      return { type: 'application/pdf', bytes: answer.bytes };
    },
    async cancelWaybill({ draft }) {
      if (draft === null) return 'cancelled'; // nothing was bought
      if (text((await shipment(draft))['tracking_code']) === null) return 'cancelled';
      const answer = await call('refund', 'POST', `/shipments/${encodeURIComponent(draft)}/refund`);
      const status = answer.status < 300 ? text(answer.body['refund_status']) : null;
      return status === 'submitted' || status === 'refunded' ? 'cancelled' : 'refused';
    },
    async subscribe({ carrier, waybillNo }) {
      good('the tracker', await call('tracker', 'POST', '/trackers', { tracker: { tracking_code: waybillNo, carrier: carriers[carrier] } }));
    },
    async events({ carrier, waybillNo }) {
      const body = good('the tracker', await call('tracker', 'GET', `/trackers?tracking_code=${encodeURIComponent(waybillNo)}&carrier=${encodeURIComponent(carriers[carrier] ?? '')}`));
      return list(body['trackers']).map(bag).flatMap((t) => eventsOf(account, t));
    },
  };
}

/** The wanted carrier's rate by the wanted service, else its cheapest. */
function rateOf(shipment: Bag, carrier: string | undefined, service: string | undefined): string {
  const rates = list(shipment['rates']).map(bag).filter((r) => text(r['carrier']) === carrier).sort((a, b) => Number(a['rate']) - Number(b['rate']));
  const rate = service === undefined ? rates[0] : rates.find((r) => text(r['service']) === service);
  const id = rate && text(rate['id']);
  if (!id) throw new PartnerRefused(422, `EasyPost has no rate of ${carrier ?? 'this carrier'}${service === undefined ? '' : ` for ${service}`}`);
  return id;
}

function content(settings: Account['settings'], r: WaybillRequest): Bag {
  const sender = bag(settings['sender']);
  const address = (a: Partial<WaybillRequest['to']>, fallback: Bag): Bag => ({
    name: a.phone ? a.name : fallback['name'], phone: a.phone ? a.phone : fallback['phone'], street1: a.street ?? fallback['street'], zip: a.postcode ?? fallback['postcode'], city: a.city, state: a.province, country: a.country ?? 'US',
  });
  return { reference: r.requestId, to_address: address(r.to, r.to.phone === '' ? sender : {}), from_address: address(r.from, sender), parcel: { weight: Math.max(0.1, Math.round((r.weightG / OUNCE_G) * 10) / 10) }, options: { label_format: 'PDF' } };
}

function receive(account: Account, push: Push): Received {
  const given = push.headers['x-hmac-signature'];
  if (push.method !== 'POST' || given === undefined) return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { error: 'X-Hmac-Signature is missing' }) };
  if (!same(given, webhookSignature(account.secrets['webhookSecret'] ?? '', push.body))) return { kind: 'rejected', reason: 'signature', reply: jsonReply(401, { error: 'signature' }) };
  const event = bag(parseJson(push.body.toString('utf8')));
  const result = bag(event['result']);
  if (text(event['object']) !== 'Event') return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { error: 'no event' }) };
  if (text(result['object']) !== 'Tracker') return { kind: 'probe', reply: jsonReply(200, {}) };
  return { kind: 'events', events: eventsOf(account, result), reply: jsonReply(200, {}), failed: jsonReply(503, { error: 'not kept' }) };
}
