import type { ChannelConnector, ChannelIo, RawHttp, Token } from '../../channels/channel.ts';
import { PartnerRefused, PartnerThrottled, PartnerUnavailable } from '../../domain/http-port.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Limiter } from './limiter.ts';

/** A token that ends sooner is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;
const THROTTLED_MS = 1_000;

type Kept = Token & { serial: number };
/** Where a shop's token is kept; `refresh` makes the next one, one at a time, unless somebody has made one beyond `beyond` (null: there was none) already. */
export type TokenStore = { read(): Promise<Kept | null>; refresh(beyond: number | null, next: (last: Kept | null) => Promise<Token>): Promise<Kept> };

/**
 * What a connector may use of the outside, as `ChannelIo` says it. `app`: limits that other shops share. `connector`: whose `nextToken` makes the tokens; asked late, for it is made with this.
 */
export function createIo(o: { code: string; limiter: Limiter; app?: Limiter | undefined; raw: RawHttp; timeoutMs: number; now: () => number; tokens: TokenStore; connector: () => ChannelConnector }): ChannelIo {
  return {
    now: o.now,
    uuid: uuidv7,
    call: async (call) => {
      await o.limiter.take(call.family);
      await o.app?.take(call.family);
      const answer = await o.raw(call, o.timeoutMs);
      if (answer.status === 429) {
        const after = Number(answer.headers['retry-after']) * 1000 || THROTTLED_MS;
        o.limiter.pause(call.family, after);
        throw new PartnerThrottled(`${o.code}: 429 for ${call.family}`, after);
      }
      if (answer.status >= 500) throw new PartnerUnavailable(`${o.code} answered ${answer.status} for ${call.family}`);
      return answer;
    },
    throttled: (family, ms) => {
      o.limiter.pause(family, ms);
      return new PartnerThrottled(`${o.code} wants fewer calls of ${family}`, ms);
    },
    token: async (beyond) => {
      const last = await o.tokens.read();
      if (last !== null && last.expiresAt > o.now() + RENEW_BEFORE_MS && last.serial !== beyond) return last;
      const connector = o.connector();
      const { nextToken } = connector;
      if (!nextToken) throw new PartnerRefused(401, `the access token of ${o.code} is missing or no longer valid, and this platform gives no new one: set it anew`);
      return o.tokens.refresh(last?.serial ?? null, (old) => nextToken.call(connector, old));
    },
  };
}
