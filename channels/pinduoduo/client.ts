import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { grantOf, PlatformError, readBag, says, TOKEN_REFUSED, withToken } from '../caller.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { bag, longJson, text, whole, type Bag } from '../safe-json.ts';
import type { PinduoduoSettings } from './settings.ts';
import { signCall } from './sign.ts';

const THROTTLED_MS = 1_000;
const DAY_S = 86_400;

/** A refusal with all that the platform says of it. */
export class PinduoduoError extends PlatformError {
  readonly words: readonly string[];
  constructor(codes: readonly string[], words: readonly string[], message: string) {
    super(200, codes.join('/'), message);
    this.words = [...codes, ...words];
  }
}

/** Calls of the gateway: one address, signed forms, every answer under HTTP 200. */
export class PinduoduoClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #s: PinduoduoSettings;

  constructor(shop: Shop, io: ChannelIo) {
    this.#shop = shop;
    this.#io = io;
    this.#s = shop.settings as unknown as PinduoduoSettings;
  }

  /** `type` like `pdd.order.information.get`. Objects of `params` go as JSON, null and undefined not at all. Throws PartnerUnavailable, PartnerThrottled, PinduoduoError. */
  call(type: string, params: Bag, family: string): Promise<Bag> { return withToken(this.#io, (token) => this.#try(type, params, family, token)); }

  async #try(type: string, params: Bag, family: string, token: string | null): Promise<Bag | typeof TOKEN_REFUSED> {
    const fields: Record<string, string> = {
      ...Object.fromEntries(Object.entries(params).flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, typeof value === 'string' ? value : longJson(value)]]))),
      type, client_id: this.#s.clientId, timestamp: String(Math.floor(this.#io.now() / 1000)), data_type: 'JSON', version: 'V1', ...(token === null ? {} : { access_token: token }),
    };
    const form = new URLSearchParams({ ...fields, sign: signCall(fields, this.#shop.secrets['clientSecret'] ?? '') }).toString();
    const answer = await this.#io.call({ family, method: 'POST', url: `${this.#s.baseUrl}/api/router`, body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    const body = readBag(answer, type);
    if (body['error_response'] === undefined) return opened(body);
    const error = bag(body['error_response']);
    const codes = [error['error_code'], error['sub_code']].flatMap((c) => text(c) ?? []);
    const words = [error['error_msg'], error['sub_msg']].flatMap((w) => text(w) ?? []);
    const message = `${type}: ${words.join(', ')}`;
    if (says(codes, this.#s.throttleErrors)) throw this.#io.throttled(family, THROTTLED_MS);
    if (token !== null && says(codes, this.#s.tokenErrors)) return TOKEN_REFUSED;
    if (says(codes, this.#s.retryErrors)) throw new PartnerUnavailable(`${message} (${codes.join('/')})`);
    throw new PinduoduoError(codes, words, message);
  }

  /** The first token by code, the next by refresh token, which is good once. */
  async nextToken(last: Token | null): Promise<Token> {
    const grant = grantOf(last, this.#shop.secrets);
    if (grant === null) throw new PartnerRefused(401, 'authorise the shop: set code or refreshToken');
    const answer = grant.by === 'refresh_token' ? await this.#try('pdd.pop.auth.token.refresh', { refresh_token: grant.value }, 'token', null) : await this.#try('pdd.pop.auth.token.create', { code: grant.value }, 'token', null);
    const data = answer === TOKEN_REFUSED ? {} : answer;
    const access = text(data['access_token']);
    if (access === null) throw new PartnerRefused(401, 'the platform gives no token: authorise the shop anew');
    const owner = text(data['owner_id']);
    if (last === null && owner !== null && owner !== this.#s.mallId) throw new PartnerRefused(401, `the token is of mall ${owner}, the setting mallId says ${this.#s.mallId}`);
    const now = this.#io.now();
    const refreshS = whole(data['refresh_token_expires_in']);
    return { access, refresh: text(data['refresh_token']), expiresAt: now + (whole(data['expires_in']) ?? DAY_S) * 1000, refreshExpiresAt: refreshS === null ? null : now + refreshS * 1000 };
  }
}

/** What an answer holds: under `…_response` (not always its method's name) or `response`, and for some calls bare. */
function opened(body: Bag): Bag {
  const name = Object.keys(body).find((key) => key.endsWith('_response') || key === 'response');
  return name === undefined ? body : bag(body[name]);
}
