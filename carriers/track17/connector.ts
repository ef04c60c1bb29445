import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { jsonReply, type Account, type CarrierConnector, type CarrierIo, type FollowedParcel, type Push, type Received } from '../carrier.ts';
import { bag, inverse, list, parseJson, same, text, textMap, type Bag } from '../read.ts';
import { eventsOf } from './events.ts';
import { webhookSign } from './sign.ts';

/** Already registered: what was wanted. Not registered, or no news yet: nothing to tell. */
const KNOWN = -18019901;
const SILENT = new Set([-18019902, -18019909]);
/** Taken up again once before: it is over (GK). */
const ONCE = -18019905;
/** The account's: an address that is not on its list, a wrong key, closed, not permitted. */
const ACCOUNT = new Set([-18010001, -18010002, -18010004, -18010005]);
/** Its own trouble, worth another try; and the quota, which a new day brings back. */
const AGAIN = new Set([-18010003, -18019907, -18019908]);

/** 17TRACK: parcels are registered, and it tells of each change with the whole history. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const base = `${String(settings['baseUrl']).replace(/\/$/, '')}/track/v2.2`;
  const carriers = textMap(settings['carriers']);

  /** One limit holds for all its methods. What was accepted, and the code of the rejection where it was not (0: neither). */
  async function call(method: string, { carrier, waybillNo }: FollowedParcel): Promise<{ accepted: Bag | null; code: number; message: string }> {
    const number = Number(carriers[carrier] ?? 0);
    const answer = await io.call({
      family: 'api', method: 'POST', url: `${base}/${method}`, headers: { '17token': secrets['apiKey'] ?? '', 'content-type': 'application/json' }, body: JSON.stringify([{ number: waybillNo, ...(number > 0 ? { carrier: number } : {}) }]),
    });
    const body = bag(parseJson(answer.text));
    const outer = Number(body['code'] ?? Number.NaN);
    if (Number.isNaN(outer)) throw new PartnerUnavailable(`17TRACK did not answer in JSON (${answer.status})`);
    const data = bag(body['data']);
    const first = bag(bag(list(data['rejected'])[0])['error'] ?? list(data['errors'])[0]);
    const code = outer === 0 ? Number(first['code'] ?? 0) : outer;
    const accepted = list(data['accepted']).map(bag)[0] ?? null;
    return { accepted, code: accepted === null ? code : 0, message: `17TRACK ${code}: ${text(first['message']) ?? ''}` };
  }

  const refused = (code: number, message: string): Error => (AGAIN.has(code) ? new PartnerUnavailable(message) : new PartnerRefused(422, message, ACCOUNT.has(code)));

  return {
    receive: (push) => receive(account, push),
    async subscribe(parcel) {
      const { accepted, code, message } = await call('register', parcel);
      if (accepted !== null) return;
      if (code !== KNOWN) throw refused(code, message);
      // One that it has given up stays known and silent; one that it still follows it does not take up again.
      const again = await call('retrack', parcel);
      if (again.accepted === null && (again.code === ONCE || AGAIN.has(again.code) || ACCOUNT.has(again.code))) throw refused(again.code, again.message);
    },
    async events(parcel) {
      const { accepted, code, message } = await call('gettrackinfo', parcel);
      if (accepted !== null) return eventsOf(account, accepted);
      if (SILENT.has(code)) return [];
      throw refused(code, message);
    },
  };
}

function receive(account: Account, push: Push): Received {
  const sign = push.headers['sign'];
  if (push.method !== 'POST' || sign === undefined) return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { error: 'sign is missing' }) };
  if (!same(sign, webhookSign(push.body, account.secrets['apiKey'] ?? ''))) return { kind: 'rejected', reason: 'signature', reply: jsonReply(401, { error: 'sign' }) };
  const body = bag(parseJson(push.body.toString('utf8')));
  const data = bag(body['data']);
  const waybillNo = text(data['number']);
  if (text(body['event']) === null || waybillNo === null) return { kind: 'rejected', reason: 'malformed', reply: jsonReply(400, { error: 'no event' }) };
  const carrier = inverse(textMap(account.settings['carriers']), text(data['carrier']));
  // Given up: what is still on its way is announced anew.
  const again = text(body['event']) === 'TRACKING_STOPPED' ? [{ waybillNo, ...(carrier === null ? {} : { carrier }) }] : [];
  return { kind: 'events', events: eventsOf(account, data), reply: jsonReply(200, { code: 0 }), failed: jsonReply(503, { code: 1 }), again };
}
