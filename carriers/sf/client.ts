import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { Account, CarrierIo, Token } from '../carrier.ts';
import { bag, parseJson, text, type Bag } from '../read.ts';
import { msgDigest } from './sign.ts';

export type SfAnswer = { success: boolean; code: string; message: string; data: Bag };
export type SfClient = { call(service: string, msgData: Bag): Promise<SfAnswer>; nextToken(): Promise<Token>; download(url: string, token: string): Promise<Buffer> };

const THROTTLED_MS = 1_000;
/** Worth another try with the same orderId: request expired, request id seen before, backend down, system error. */
const AGAIN = new Set(['A1002', 'A1007', 'A1009', 'A1099']);

/** One call of 丰桥: a signed form, an outer answer of the gateway and an inner one of the service. */
export function createSfClient(account: Account, io: CarrierIo): SfClient {
  const { settings, secrets } = account;
  const base = String(settings['baseUrl']).replace(/\/$/, '');
  const partnerId = String(settings['partnerId']);
  const checkword = secrets['checkword'] ?? '';
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };

  /** `beyond`: the token that was refused. Gives the answer and the token that it was asked with. */
  async function once(service: string, msgData: string, beyond?: number): Promise<{ outer: Bag; serial: number | null }> {
    const timestamp = String(io.now());
    const token = settings['auth'] === 'token' ? await io.token(beyond) : null;
    const proof = token ? { accessToken: token.access } : { msgDigest: msgDigest(msgData, timestamp, checkword) };
    const answer = await io.call({
      family: service, method: 'POST', url: `${base}/std/service`, headers: form,
      body: new URLSearchParams({ partnerID: partnerId, requestID: io.uuid(), serviceCode: service, timestamp, ...proof, msgData } as Record<string, string>).toString(),
    });
    const outer = bag(parseJson(answer.text));
    if (text(outer['apiResultCode']) === null) throw new PartnerUnavailable(`SF answered ${answer.status} without a result code`);
    return { outer, serial: token?.serial ?? null };
  }

  return {
    async call(service, data) {
      const msgData = JSON.stringify(data);
      const first = await once(service, msgData);
      // A token may have ended before its time.
      const { outer } = first.serial !== null && text(first.outer['apiResultCode']) === 'A1006' ? await once(service, msgData, first.serial) : first;
      const code = text(outer['apiResultCode']) ?? '';
      const message = `SF ${code} for ${service}: ${text(outer['apiErrorMsg']) ?? ''}`.trim();
      if (code === 'A1005') throw io.throttled(service, THROTTLED_MS);
      if (AGAIN.has(code)) throw new PartnerUnavailable(message);
      if (code !== 'A1000') throw new PartnerRefused(403, message);
      const given = outer['apiResultData'];
      const inner = bag(typeof given === 'string' ? parseJson(given) : given);
      return {
        success: inner['success'] === true || inner['success'] === 'true', code: text(inner['errorCode']) ?? '', message: text(inner['errorMsg']) ?? text(inner['errorMessage']) ?? '',
        data: bag(inner['msgData'] ?? inner['obj']),
      };
    },
    async nextToken() {
      const answer = await io.call({
        family: 'token', method: 'POST', url: `${base}/oauth2/accessToken`, headers: form,
        body: new URLSearchParams({ partnerID: partnerId, secret: checkword, grantType: 'password' }).toString(),
      });
      const body = bag(parseJson(answer.text));
      const access = text(body['accessToken']);
      const seconds = Number(body['expiresIn']);
      if (access === null || !(seconds > 0)) throw new PartnerRefused(401, `SF gives no access token: ${text(body['apiResultCode']) ?? answer.status}`);
      return { access, refresh: null, expiresAt: io.now() + seconds * 1000, refreshExpiresAt: null };
    },
    async download(url, token) {
      const answer = await io.call({ family: 'label', method: 'GET', url, headers: { 'X-Auth-token': token } });
      if (answer.status !== 200 || !answer.bytes) throw new PartnerUnavailable(`the label could not be fetched (${answer.status})`);
      return answer.bytes;
    },
  };
}
