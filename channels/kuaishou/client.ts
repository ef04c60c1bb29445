import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { bag, longJson, parseSafe, text, whole, type Bag } from '../safe-json.ts';
import type { KuaishouSettings } from './settings.ts';
import { signCall } from './sign.ts';

const THROTTLED_MS = 1_000;
const REFRESH_LIFE_MS = 180 * 86_400_000;

/** A refusal with the platform's own number for it. */
export class KuaishouError extends PartnerRefused {
  readonly code: string;
  constructor(code: string, message: string) {
    super(200, `${message} (${code})`);
    this.code = code;
  }
}

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

  /** `method` like `open.order.detail`; answers `data`, whatever it is. Throws PartnerUnavailable, PartnerThrottled, KuaishouError. */
  async call(http: 'GET' | 'POST', method: string, params: Bag, family: string): Promise<unknown> {
    const first = await this.#try(http, method, params, family, await this.#io.token());
    if (first !== 'token') return first.data;
    const second = await this.#try(http, method, params, family, await this.#io.token(true));
    if (second === 'token') throw new PartnerRefused(401, 'the platform refuses a fresh access token: authorise the shop anew');
    return second.data;
  }

  async #try(http: 'GET' | 'POST', method: string, params: Bag, family: string, token: string): Promise<{ data: unknown } | 'token'> {
    const fields = { appkey: this.#s.appKey, method, version: '1', param: longJson(params), access_token: token, timestamp: String(this.#io.now()), signMethod: this.#s.signMethod };
    const form = new URLSearchParams({ ...fields, sign: signCall(fields, this.#shop.secrets['signSecret'] ?? '') }).toString();
    const answer = await this.#send(http, `/${method.replaceAll('.', '/')}`, form, family);
    if (text(answer['result']) === '1') return { data: answer['data'] };
    const words = [answer['result'], answer['code'], answer['sub_code'], answer['error_msg'], answer['msg'], answer['sub_msg']].flatMap((w) => text(w) ?? []);
    const says = (signs: readonly string[]): boolean => signs.some((sign) => words.some((w) => w === sign || (!/^-?\d+$/.test(sign) && w.includes(sign))));
    if (says(this.#s.throttleErrors)) throw this.#io.throttled(family, THROTTLED_MS);
    if (says(this.#s.tokenErrors)) return 'token';
    const message = `${method}: ${text(answer['error_msg']) ?? text(answer['sub_msg']) ?? text(answer['msg']) ?? ''}`;
    if (says(this.#s.retryErrors)) throw new PartnerUnavailable(message);
    throw new KuaishouError(text(answer['code']) ?? text(answer['result']) ?? '?', message);
  }

  async #send(http: 'GET' | 'POST', path: string, form: string, family: string): Promise<Bag> {
    const url = `${this.#s.baseUrl}${path}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.#io.call(http === 'GET' ? { family, method: http, url: `${url}?${form}`, headers } : { family, method: http, url, body: form, headers });
    try {
      return bag(parseSafe(answer.text));
    } catch {
      throw new PartnerUnavailable(`${path} answered ${answer.status} and no JSON`);
    }
  }

  /** The first token by code, the next by refresh token: the old one dies with it, and its successor inherits what is left of its 180 days. */
  async nextToken(last: Token | null): Promise<Token> {
    const refresh = last?.refresh ?? this.#shop.secrets['refreshToken'];
    const app = { app_id: this.#s.appKey, app_secret: this.#shop.secrets['appSecret'] ?? '' };
    const code = this.#shop.secrets['code'];
    if (refresh === undefined && code === undefined) throw new PartnerRefused(401, 'authorise the shop: set code or refreshToken');
    const answer = refresh !== undefined ? await this.#send('POST', '/oauth2/refresh_token', new URLSearchParams({ ...app, grant_type: 'refresh_token', refresh_token: refresh }).toString(), 'token')
      : await this.#send('POST', '/oauth2/access_token', new URLSearchParams({ ...app, grant_type: 'code', code: code ?? '' }).toString(), 'token');
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
