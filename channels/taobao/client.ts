import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { grantOf, PlatformError, readBag, says, TOKEN_REFUSED, withToken } from '../caller.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { chinaTime } from '../china-time.ts';
import { bag, parseSafe, text, whole, type Bag } from '../safe-json.ts';
import type { TaobaoSettings } from './settings.ts';
import { signCall } from './sign.ts';

const THROTTLED_MS = 1_000;
/** "This ban will last for 12 more seconds" */
const BAN = /last for (\d+)/;
const YEAR_MS = 365 * 86_400_000;

export type Params = Readonly<Record<string, string | undefined>>;

/** Calls of the open platform (TOP): signed forms, HTTP 200 whatever happens, `error_response` says what went wrong. */
export class TaobaoClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #s: TaobaoSettings;

  constructor(shop: Shop, io: ChannelIo) {
    this.#shop = shop;
    this.#io = io;
    this.#s = shop.settings as unknown as TaobaoSettings;
  }

  /** For the shop: `method` like `taobao.trade.fullinfo.get`; answers what is in its `…_response`. Throws PartnerUnavailable, PartnerThrottled, PlatformError (its code: sub_code). */
  call(method: string, params: Params, family: string): Promise<Bag> { return withToken(this.#io, (session) => this.#try(method, params, family, session)); }

  /** For the app, without a session. */
  async callApp(method: string, params: Params, family: string): Promise<Bag> {
    const answer = await this.#try(method, params, family, null);
    if (answer === TOKEN_REFUSED) throw new PartnerRefused(401, `${method} wants a session`);
    return answer;
  }

  async #try(method: string, params: Params, family: string, session: string | null): Promise<Bag | typeof TOKEN_REFUSED> {
    const given = Object.fromEntries(Object.entries(params).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]])));
    const fields = { ...given, method, app_key: this.#s.appKey, ...(session === null ? {} : { session }), timestamp: chinaTime(this.#io.now()), format: 'json', v: '2.0', sign_method: this.#s.signMethod };
    const body = new URLSearchParams({ ...fields, sign: signCall(fields, this.#shop.secrets['appSecret'] ?? '', this.#s.signMethod) }).toString();
    const read = readBag(await this.#io.call({ family, method: 'POST', url: `${this.#s.baseUrl}/router/rest`, body, headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' } }), method);
    const error = read['error_response'];
    if (error === undefined) return bag(Object.entries(read).find(([name]) => name.endsWith('_response'))?.[1]);
    return this.#failed(method, bag(error), family);
  }

  #failed(method: string, error: Bag, family: string): typeof TOKEN_REFUSED {
    const [code, subCode, words] = [text(error['code']) ?? '', text(error['sub_code']) ?? '', `${text(error['sub_msg']) ?? ''} ${text(error['msg']) ?? ''}`.trim()];
    const signs = [code, subCode];
    if (says(signs, this.#s.tokenErrors)) return TOKEN_REFUSED;
    const ban = whole(BAN.exec(words)?.[1]);
    if (says(signs, this.#s.throttleErrors)) throw this.#io.throttled(family, ban === null ? THROTTLED_MS : (ban + 1) * 1000);
    if (says(signs, this.#s.retryErrors)) throw new PartnerUnavailable(`${method}: ${words} (${subCode})`);
    throw new PlatformError(200, subCode === '' ? code : subCode, `${method}: ${words}`);
  }

  /** The first token by code, the next by refresh token, which is good once; an app without refreshing has one session until somebody gives another. */
  async nextToken(last: Token | null): Promise<Token> {
    const now = this.#io.now();
    const grant = grantOf(last, this.#shop.secrets);
    if (grant === null) {
      const session = this.#shop.secrets['session'];
      if (session === undefined) throw new PartnerRefused(401, 'authorise the shop: set session, code or refreshToken');
      if (last?.access === session) throw new PartnerRefused(401, 'the session is over: authorise the shop anew and set session');
      return { access: session, refresh: null, expiresAt: now + YEAR_MS, refreshExpiresAt: null };
    }
    const answer = grant.by === 'refresh_token' ? await this.#try('taobao.top.auth.token.refresh', { refresh_token: grant.value }, 'token', null) : await this.#try('taobao.top.auth.token.create', { code: grant.value }, 'token', null);
    const token = answer === TOKEN_REFUSED ? {} : tokenOf(answer['token_result']);
    const access = text(token['access_token']);
    if (access === null) throw new PartnerRefused(401, 'the platform gives no session: authorise the shop anew');
    const left = whole(token['re_expires_in']);
    return { access, refresh: text(token['refresh_token']), expiresAt: now + (whole(token['expires_in']) ?? 86_400) * 1000, refreshExpiresAt: whole(token['refresh_token_valid_time']) ?? (left === null ? null : now + left * 1000) };
  }
}

/** JSON in text. */
function tokenOf(value: unknown): Bag {
  try {
    return bag(typeof value === 'string' ? parseSafe(value) : value);
  } catch {
    return {};
  }
}
