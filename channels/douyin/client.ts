import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { bag, parseSafe, text, whole, type Bag } from '../safe-json.ts';
import type { DouyinSettings } from './settings.ts';
import { chinaTime, signCall, sortedJson } from './sign.ts';

const SUCCESS = 10_000;
const SYSTEM = 20_000;
const THROTTLED_MS = 1_000;
/** Reasons of 40004 and 50002 after which the same call may succeed: warehouse time-out, busy, and what the platform calls its own fault. */
const RETRY = /:(40004|2010401|2010001|2010002)$/;

/** A refusal with the platform's own word for it. */
export class DouyinError extends PartnerRefused {
  readonly subCode: string;
  constructor(code: number, subCode: string, message: string) {
    super(code, `${message} (${subCode})`);
    this.subCode = subCode;
  }
}

/** Calls of the open platform: signed, with the shop's token, errors sorted into those that may pass and those that won't. */
export class DouyinClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #s: DouyinSettings;

  constructor(shop: Shop, io: ChannelIo) {
    this.#shop = shop;
    this.#io = io;
    this.#s = shop.settings as unknown as DouyinSettings;
  }

  /** `path` like `/order/orderDetail`; answers `data`. Throws PartnerUnavailable, PartnerThrottled, DouyinError. */
  async call(path: string, params: Bag, family: string): Promise<Bag> {
    const first = await this.#try(path, params, family, await this.#io.token());
    if (first !== 'token') return first;
    const second = await this.#try(path, params, family, await this.#io.token(true));
    if (second === 'token') throw new PartnerRefused(401, 'the platform refuses a fresh access token: authorise the shop anew');
    return second;
  }

  async #try(path: string, params: Bag, family: string, token: string | null): Promise<Bag | 'token'> {
    const paramJson = sortedJson(params);
    const method = path.slice(1).replaceAll('/', '.');
    const timestamp = chinaTime(this.#io.now());
    const sign = signCall(this.#shop.secrets['appSecret'] ?? '', this.#s.signMethod, { appKey: this.#s.appKey, method, paramJson, timestamp });
    const query = new URLSearchParams({ app_key: this.#s.appKey, method, ...(token === null ? {} : { access_token: token }), timestamp, v: '2', sign, sign_method: this.#s.signMethod });
    const answer = await this.#io.call({
      family, method: 'POST', url: `${this.#s.baseUrl}${path}?${query.toString()}`, body: paramJson, headers: { 'content-type': 'application/json;charset=UTF-8', from: 'sdk', 'x-open-no-old-err-code': '1' },
    });
    let body: Bag;
    try {
      body = bag(parseSafe(answer.text));
    } catch {
      throw new PartnerUnavailable(`${path} answered ${answer.status} and no JSON`);
    }
    const code = whole(body['code']) ?? (whole(body['err_no']) === 0 ? SUCCESS : whole(body['err_no']));
    if (code === SUCCESS) return bag(body['data']);
    const subCode = text(body['sub_code']) ?? '';
    const message = `${path}: ${text(body['sub_msg']) ?? text(body['msg']) ?? text(body['message']) ?? ''}`;
    if (this.#s.tokenErrors.some((t) => subCode.startsWith(t))) return 'token';
    if (this.#s.throttleErrors.some((t) => subCode.startsWith(t))) throw this.#io.throttled(family, THROTTLED_MS);
    if (code === SYSTEM || RETRY.test(subCode)) throw new PartnerUnavailable(`${message} (${subCode})`);
    throw new DouyinError(code ?? 0, subCode, message);
  }

  /** The first token by code or shop, the next by refresh token, which is good once. */
  async nextToken(last: Token | null): Promise<Token> {
    const refresh = last?.refresh ?? this.#shop.secrets['refreshToken'];
    const code = this.#shop.secrets['code'];
    const data = refresh !== undefined ? await this.#try('/token/refresh', { grant_type: 'refresh_token', refresh_token: refresh }, 'token', null)
      : await this.#try('/token/create', code === undefined ? { code: '', grant_type: 'authorization_self', shop_id: this.#s.shopId ?? '' } : { code, grant_type: 'authorization_code' }, 'token', null);
    const access = data === 'token' ? null : text(data['access_token']);
    if (data === 'token' || access === null) throw new PartnerRefused(401, 'the platform gives no token: authorise the shop anew');
    const now = this.#io.now();
    return { access, refresh: text(data['refresh_token']), expiresAt: now + (whole(data['expires_in']) ?? 604_800) * 1000, refreshExpiresAt: now + 14 * 86_400_000 };
  }
}
