import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { grantOf, PlatformError, readBag, says, TOKEN_REFUSED, withToken } from '../caller.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { chinaTime } from '../china-time.ts';
import { bag, longJson, text, whole, type Bag } from '../safe-json.ts';
import { GATEWAY, SIGN_ON, type JdSettings } from './settings.ts';
import { signCall } from './sign.ts';

const THROTTLED_MS = 1_000;
const SUCCESS = '0';
const FORM = { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' };
const WORDS = ['chineseErrCode', 'zh_desc', 'errorMessage', 'errorMsg', 'message', 'englishErrCode', 'en_desc'] as const;
/** How JD spells it; some of its methods, and all who expect it right, have it the other way. */
const ANSWER = /_respon[cs]e$/;

/** Calls of the open platform (JOS): signed forms with the parameters as JSON, HTTP 200 whatever happens. */
export class JdClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #s: JdSettings;

  constructor(shop: Shop, io: ChannelIo) {
    this.#shop = shop;
    this.#io = io;
    this.#s = shop.settings as unknown as JdSettings;
  }

  /**
   * `method` like `jingdong.pop.order.get`; gives the field `result` of its answer. Whichever field it is, in itself or in its `apiResult`, that says `success: false`, it went wrong. Throws PartnerUnavailable,
   * PartnerThrottled, PlatformError.
   */
  async call(method: string, params: Bag, family: string, result: string): Promise<Bag> {
    const answer = await withToken(this.#io, (token) => this.#try(method, params, family, token));
    const verdicts = Object.values(answer).map(bag).map((field) => (field['apiResult'] === undefined ? field : bag(field['apiResult'])));
    const no = verdicts.find((v) => v['success'] === false || v['success'] === 'false');
    if (no) this.#fail(method, text(no['numberCode']) ?? text(no['errorCode']) ?? text(no['code']) ?? '', WORDS.flatMap((name) => text(no[name]) ?? []), family);
    return bag(answer[result]);
  }

  async #try(method: string, params: Bag, family: string, token: string): Promise<Bag | typeof TOKEN_REFUSED> {
    const fields = { '360buy_param_json': longJson(params), access_token: token, app_key: this.#s.appKey, format: 'json', method, timestamp: chinaTime(this.#io.now()), v: '2.0' };
    const body = new URLSearchParams({ ...fields, sign: signCall(fields, this.#shop.secrets['appSecret'] ?? '') }).toString();
    const read = readBag(await this.#io.call({ family, method: 'POST', url: `${this.#s.baseUrl}/routerjson`, body, headers: FORM }), method);
    const error = read['error_response'] === undefined ? null : bag(read['error_response']);
    const answer = bag(Object.entries(read).find(([name]) => ANSWER.test(name) && name !== 'error_response')?.[1]);
    const code = text((error ?? answer)['code']) ?? SUCCESS;
    if (error === null && code === SUCCESS) return answer;
    const words = WORDS.flatMap((name) => text((error ?? answer)[name]) ?? []);
    if (says([code, ...words], this.#s.tokenErrors)) return TOKEN_REFUSED;
    return this.#fail(method, code, words, family);
  }

  #fail(method: string, code: string, words: readonly string[], family: string): never {
    const signs = [code, ...words];
    if (says(signs, this.#s.throttleErrors)) throw this.#io.throttled(family, THROTTLED_MS);
    if (says(signs, this.#s.retryErrors)) throw new PartnerUnavailable(`${method}: ${words[0] ?? ''} (${code})`);
    throw new PlatformError(200, code, `${method}: ${words[0] ?? ''}`);
  }

  /** The first token by code, the next by refresh token: its successor comes with it. */
  async nextToken(last: Token | null): Promise<Token> {
    const grant = grantOf(last, this.#shop.secrets);
    if (grant === null) throw new PartnerRefused(401, 'authorise the shop: set code or refreshToken');
    const base = this.#s.authUrl ?? (this.#s.baseUrl === GATEWAY ? SIGN_ON : this.#s.baseUrl);
    const app = { app_key: this.#s.appKey, app_secret: this.#shop.secrets['appSecret'] ?? '' };
    const [path, form] = grant.by === 'refresh_token' ? ['refresh_token', { ...app, grant_type: 'refresh_token', refresh_token: grant.value }] : ['access_token', { ...app, grant_type: 'authorization_code', code: grant.value }];
    const answer = readBag(await this.#io.call({ family: 'token', method: 'POST', url: `${base}/oauth2/${path}`, body: new URLSearchParams(form).toString(), headers: FORM }), 'the token');
    const access = text(answer['access_token']);
    if (access === null) throw new PartnerRefused(401, `the platform gives no token (${text(answer['msg']) ?? text(answer['code']) ?? '?'}): authorise the shop anew`);
    return { access, refresh: text(answer['refresh_token']) ?? last?.refresh ?? null, expiresAt: this.#io.now() + (whole(answer['expires_in']) ?? 86_400) * 1000, refreshExpiresAt: null };
  }
}
