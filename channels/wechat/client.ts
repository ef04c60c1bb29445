import { PartnerRefused, PartnerUnavailable } from '../../domain/http-port.ts';
import { PlatformError, readBag, TOKEN_REFUSED, withToken } from '../caller.ts';
import type { ChannelIo, Shop, Token } from '../channel.ts';
import { longJson, text, whole, type Bag } from '../safe-json.ts';
import type { WechatSettings } from './settings.ts';

const BUSY = -1;
const TOKEN = new Set([40001, 40014, 42001]);
/** Calls that are too many, and how long to wait, ms: per minute, for one SKU, for the day. */
const THROTTLED: Readonly<Record<number, number>> = { 45011: 5_000, 10020112: 1_000, 45009: 600_000 };

/** Calls under /channels/ec: JSON, HTTP 200 whatever happens, `errcode` says how it went. */
export class WechatClient {
  readonly #shop: Shop;
  readonly #io: ChannelIo;
  readonly #s: WechatSettings;

  constructor(shop: Shop, io: ChannelIo) {
    this.#shop = shop;
    this.#io = io;
    this.#s = shop.settings as unknown as WechatSettings;
  }

  /** `path` like `order/get`. Throws PartnerUnavailable, PartnerThrottled, PlatformError. */
  call(path: string, params: Bag, family: string): Promise<Bag> { return withToken(this.#io, (token) => this.#try(path, params, family, token), 'look at appId and appSecret'); }

  async #try(path: string, params: Bag, family: string, token: string): Promise<Bag | typeof TOKEN_REFUSED> {
    const body = await this.#send(`/channels/ec/${path}?access_token=${encodeURIComponent(token)}`, longJson(params), family);
    const code = whole(body['errcode']) ?? 0;
    if (code === 0) return body;
    const message = `${path}: ${text(body['errmsg']) ?? ''}`;
    if (TOKEN.has(code)) return TOKEN_REFUSED;
    const wait = THROTTLED[code];
    if (wait !== undefined) throw this.#io.throttled(family, wait);
    if (code === BUSY) throw new PartnerUnavailable(`${message} (${code})`);
    throw new PlatformError(200, String(code), message);
  }

  async #send(path: string, body: string, family: string): Promise<Bag> {
    const answer = await this.#io.call({ family, method: 'POST', url: `${this.#s.baseUrl}${path}`, body, headers: { 'content-type': 'application/json' } });
    return readBag(answer, path.split('?')[0] ?? '');
  }

  /** The stable token: the same for all who ask while it lasts. One that was refused before its time is forced anew. */
  async nextToken(last: Token | null): Promise<Token> {
    const now = this.#io.now();
    const refused = last !== null && last.expiresAt > now + 60_000;
    const body = await this.#send('/cgi-bin/stable_token', JSON.stringify({ grant_type: 'client_credential', appid: this.#s.appId, secret: this.#shop.secrets['appSecret'] ?? '', force_refresh: refused }), 'token');
    const access = text(body['access_token']);
    const code = whole(body['errcode']) ?? 0;
    if (code === BUSY) throw new PartnerUnavailable('the platform is too busy to give a token');
    if (THROTTLED[code] !== undefined) throw this.#io.throttled('token', THROTTLED[code]);
    if (access === null) throw new PartnerRefused(401, `the platform gives no token: ${text(body['errmsg']) ?? ''} (${code})`);
    return { access, refresh: null, expiresAt: now + (whole(body['expires_in']) ?? 7_200) * 1000, refreshExpiresAt: null };
  }
}
