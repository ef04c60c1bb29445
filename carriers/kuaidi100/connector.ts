import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { jsonReply, type Account, type CarrierConnector, type CarrierIo, type FollowedParcel, type Push, type Received } from '../carrier.ts';
import { bag, inverse, parseJson, same, text, textMap, type Bag } from '../read.ts';
import { callbackSign, querySign } from './sign.ts';
import { eventsOf } from './status.ts';

const BUSY_MS = 2_000;
/** The account's: a signature that is wrong, a key that is not authorised or has run out. */
const ACCOUNT = new Set(['503', '600', '601']);
const OK = jsonReply(200, { result: true, returnCode: '200', message: '成功' });
const no = (message: string) => jsonReply(200, { result: false, returnCode: '500', message });

/** 快递100: parcels are announced, and it calls back with their whole history each time; a query is the backstop. */
export function connect(account: Account, io: CarrierIo): CarrierConnector {
  const { settings, secrets } = account;
  const base = String(settings['baseUrl']).replace(/\/$/, '');
  const carriers = textMap(settings['carriers']);
  const key = secrets['key'] ?? '';
  const theirs = ({ carrier }: FollowedParcel): string => {
    const com = carriers[carrier];
    if (com === undefined) throw new PartnerRefused(0, `"${carrier}" is not in the setting carriers of ${account.code}`);
    return com;
  };
  async function call(family: string, path: string, form: Record<string, string>): Promise<Bag> {
    const answer = await io.call({ family, method: 'POST', url: base + path, headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }, body: new URLSearchParams(form).toString() });
    const body = parseJson(answer.text);
    if (body === null) throw new PartnerUnavailable(`快递100 did not answer in JSON (${answer.status})`);
    return bag(body);
  }

  return {
    receive: (push) => receive(account, push),
    async subscribe(parcel) {
      if (typeof settings['callbackUrl'] !== 'string') throw new PartnerUnavailable(`set callbackUrl of ${account.code}: the public address of its pushPath`);
      const param = JSON.stringify({
        company: theirs(parcel), number: parcel.waybillNo, key,
        parameters: { callbackurl: settings['callbackUrl'], salt: secrets['salt'], resultv2: '4', ...(parcel.phoneTail === null ? {} : { phone: parcel.phoneTail }) },
      });
      const body = await call('subscribe', '/poll', { schema: 'json', param });
      const code = text(body['returnCode']) ?? '';
      if (code === '200' || code === '501') return; // 501: announced before
      const message = `快递100 ${code}: ${text(body['message']) ?? ''}`;
      if (code === '500' || code === '') throw new PartnerUnavailable(message);
      if (code === '502') throw io.throttled('subscribe', BUSY_MS);
      throw new PartnerRefused(422, message, ACCOUNT.has(code));
    },
    async events(parcel) {
      const param = JSON.stringify({ com: theirs(parcel), num: parcel.waybillNo, ...(parcel.phoneTail === null ? {} : { phone: parcel.phoneTail }), resultv2: '4', show: '0', order: 'desc' });
      const customer = String(settings['customer']);
      const body = await call('query', '/poll/query.do', { customer, sign: querySign(param, key, customer), param });
      if (body['message'] === 'ok') return eventsOf(account, body);
      const code = text(body['returnCode']) ?? '';
      if (code === '500') return []; // nothing is known of it (yet)
      if (code === '502') throw io.throttled('query', BUSY_MS);
      throw new PartnerRefused(422, `快递100 ${code}: ${text(body['message']) ?? ''}`, ACCOUNT.has(code));
    },
  };
}

function receive(account: Account, push: Push): Received {
  const form = new URLSearchParams(push.body.toString('utf8'));
  const [sign, param] = [form.get('sign'), form.get('param')];
  if (push.method !== 'POST' || sign === null || param === null) return { kind: 'rejected', reason: 'malformed', reply: no('sign and param') };
  if (!same(sign, callbackSign(param, account.secrets['salt'] ?? ''))) return { kind: 'rejected', reason: 'signature', reply: no('sign') };
  const body = bag(parseJson(param));
  const status = text(body['status']);
  const result = bag(body['lastResult']);
  if (status === null || text(result['nu']) === null) return { kind: 'rejected', reason: 'malformed', reply: no('lastResult') };
  const [waybillNo, carrier] = [text(result['nu']), inverse(textMap(account.settings['carriers']), text(result['com']))];
  // Given up (nothing for three days, or over): what is still on its way is announced anew.
  const again = (status === 'abort' || status === 'shutdown') && waybillNo !== null && carrier !== null ? [{ carrier, waybillNo }] : [];
  return { kind: 'events', events: eventsOf(account, result), reply: OK, failed: no('not kept'), again };
}
