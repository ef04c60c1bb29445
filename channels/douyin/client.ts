import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { grantOf, PlatformError, readBag, says, TOKEN_REFUSED, withToken } from '../caller.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { chinaTime } from '../china-time.ts';
import { bag, text, whole, type Bag } from '../safe-json.ts';
import type { DouyinSettings } from './settings.ts';
import { signCall, sortedJson } from './sign.ts';

const SUCCESS = 10_000;
const SYSTEM = 20_000;
const THROTTLED_MS = 1_000;
/** Reasons of 40004 and 50002 after which the same call may succeed: warehouse time-out, busy, and what the platform calls its own fault. */
const RETRY = /:(40004|2010401|2010001|2010002)$/;

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

  /** `path` like `/order/orderDetail`; answers `data`. Throws PartnerUnavailable, PartnerThrottled, PlatformError (its code: sub_code). */
  call(path: string, params: Bag, family: string): Promise<Bag> { return withToken(this.#io, (token) => this.#try(path, params, family, token)); }

  async #try(path: string, params: Bag, family: string, token: string | null): Promise<Bag | typeof TOKEN_REFUSED> {
    const paramJson = sortedJson(params);
    const method = path.slice(1).replaceAll('/', '.');
    const timestamp = chinaTime(this.#io.now());
    const sign = signCall(this.#shop.secrets['appSecret'] ?? '', this.#s.signMethod, { appKey: this.#s.appKey, method, paramJson, timestamp });
    const query = new URLSearchParams({ app_key: this.#s.appKey, method, ...(token === null ? {} : { access_token: token }), timestamp, v: '2', sign, sign_method: this.#s.signMethod });
    const answer = await this.#io.call({
      family, method: 'POST', url: `${this.#s.baseUrl}${path}?${query.toString()}`, body: paramJson, headers: { 'content-type': 'application/json;charset=UTF-8', from: 'sdk', 'x-open-no-old-err-code': '1' },
    });
    const body = readBag(answer, path);
    const code = whole(body['code']) ?? (whole(body['err_no']) === 0 ? SUCCESS : whole(body['err_no']));
    if (code === SUCCESS) return bag(body['data']);
    const subCode = text(body['sub_code']) ?? '';
    const message = `${path}: ${text(body['sub_msg']) ?? text(body['msg']) ?? text(body['message']) ?? ''}`;
    if (says([subCode], this.#s.tokenErrors)) return TOKEN_REFUSED;
    if (says([subCode], this.#s.throttleErrors)) throw this.#io.throttled(family, THROTTLED_MS);
    if (code === SYSTEM || RETRY.test(subCode)) throw new PartnerUnavailable(`${message} (${subCode})`);
    throw new PlatformError(code ?? 0, subCode, message);
  }

  /** The first token by code or shop, the next by refresh token, which is good once. */
  async nextToken(last: Token | null): Promise<Token> {
    const grant = grantOf(last, this.#shop.secrets);
    const data = grant?.by === 'refresh_token' ? await this.#try('/token/refresh', { grant_type: 'refresh_token', refresh_token: grant.value }, 'token', null)
      : await this.#try('/token/create', grant === null ? { code: '', grant_type: 'authorization_self', shop_id: this.#s.shopId ?? '' } : { code: grant.value, grant_type: 'authorization_code' }, 'token', null);
    const access = data === TOKEN_REFUSED ? null : text(data['access_token']);
    if (data === TOKEN_REFUSED || access === null) throw new PartnerRefused(401, 'the platform gives no token: authorise the shop anew');
    const now = this.#io.now();
    return { access, refresh: text(data['refresh_token']), expiresAt: now + (whole(data['expires_in']) ?? 604_800) * 1000, refreshExpiresAt: now + 14 * 86_400_000 };
  }
}
