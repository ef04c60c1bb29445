import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { grantOf, PlatformError, readBag, says, TOKEN_REFUSED, withToken } from '../caller.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { longJson, text, whole, type Bag } from '../safe-json.ts';
import type { KuaishouSettings } from './settings.ts';
import { signCall } from './sign.ts';

const THROTTLED_MS = 1_000;
const REFRESH_LIFE_MS = 180 * 86_400_000;

/** Calls of the open platform: reads by GET, writes by POST, both as signed forms. */
export class KuaishouClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #s: KuaishouSettings;

  constructor(shop: Shop, io: ChannelIo) {
    this.#shop = shop;
    this.#io = io;
    this.#s = shop.settings as unknown as KuaishouSettings;
  }

  /** `method` like `open.order.detail`; answers `data`, whatever it is. Throws PartnerUnavailable, PartnerThrottled, PlatformError. */
  async call(http: 'GET' | 'POST', method: string, params: Bag, family: string): Promise<unknown> {
    return (await withToken(this.#io, (token) => this.#try(http, method, params, family, token))).data;
  }

  async #try(http: 'GET' | 'POST', method: string, params: Bag, family: string, token: string): Promise<{ data: unknown } | typeof TOKEN_REFUSED> {
    const fields = { appkey: this.#s.appKey, method, version: '1', param: longJson(params), access_token: token, timestamp: String(this.#io.now()), signMethod: this.#s.signMethod };
    const form = new URLSearchParams({ ...fields, sign: signCall(fields, this.#shop.secrets['signSecret'] ?? '') }).toString();
    const answer = await this.#send(http, `/${method.replaceAll('.', '/')}`, form, family);
    if (text(answer['result']) === '1') return { data: answer['data'] };
    const words = [answer['result'], answer['code'], answer['sub_code'], answer['error_msg'], answer['msg'], answer['sub_msg']].flatMap((w) => text(w) ?? []);
    if (says(words, this.#s.throttleErrors)) throw this.#io.throttled(family, THROTTLED_MS);
    if (says(words, this.#s.tokenErrors)) return TOKEN_REFUSED;
    const message = `${method}: ${text(answer['error_msg']) ?? text(answer['sub_msg']) ?? text(answer['msg']) ?? ''}`;
    if (says(words, this.#s.retryErrors)) throw new PartnerUnavailable(message);
    throw new PlatformError(200, text(answer['code']) ?? text(answer['result']) ?? '?', message);
  }

  async #send(http: 'GET' | 'POST', path: string, form: string, family: string): Promise<Bag> {
    const url = `${this.#s.baseUrl}${path}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.#io.call(http === 'GET' ? { family, method: http, url: `${url}?${form}`, headers } : { family, method: http, url, body: form, headers });
    return readBag(answer, path);
  }

  /** The first token by code, the next by refresh token: the old one dies with it, and its successor inherits what is left of its 180 days. */
  async nextToken(last: Token | null): Promise<Token> {
    const grant = grantOf(last, this.#shop.secrets);
    const app = { app_id: this.#s.appKey, app_secret: this.#shop.secrets['appSecret'] ?? '' };
    if (grant === null) throw new PartnerRefused(401, 'authorise the shop: set code or refreshToken');
    const answer = grant.by === 'refresh_token' ? await this.#send('POST', '/oauth2/refresh_token', new URLSearchParams({ ...app, grant_type: 'refresh_token', refresh_token: grant.value }).toString(), 'token')
      : await this.#send('POST', '/oauth2/access_token', new URLSearchParams({ ...app, grant_type: 'code', code: grant.value }).toString(), 'token');
    const access = text(answer['access_token']);
    if (text(answer['result']) !== '1' || access === null) throw new PartnerRefused(401, `the platform gives no token (${text(answer['error_msg']) ?? text(answer['result']) ?? '?'}): authorise the shop anew`);
    const now = this.#io.now();
    const left = whole(answer['refresh_token_expires_in']);
    return {
      access, refresh: text(answer['refresh_token']), expiresAt: now + (whole(answer['expires_in']) ?? 172_800) * 1000,
      refreshExpiresAt: left === null ? last?.refreshExpiresAt ?? now + REFRESH_LIFE_MS : now + left * 1000,
    };
  }
}
