import type { ChannelConnector, ChannelIo, ChannelKind, Token } from '../../channels/channel.ts';
import { channelKind } from '../../channels/registry.ts';
import { readToken, refreshToken } from '../../db/channels/tokens.ts';
import { ShopBook, type ShopRow } from '../../db/channels/shops.ts';
import { PartnerRefused, PartnerThrottled, PartnerUnavailable } from '../../domain/http-port.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { ActivityDeps } from '../deps.ts';
import { Limiter } from './limiter.ts';

/** A token that ends sooner is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;
const THROTTLED_MS = 1_000;

/** A shop and the connector that speaks for it. */
export type ShopSession = { shop: ShopRow; kind: ChannelKind; connector: ChannelConnector };

/** Makes and keeps the sessions of a process; one is made anew when the shop's account has changed. */
export class ShopSessions {
  readonly #deps: ActivityDeps;
  readonly #book: ShopBook;
  readonly #known = new Map<string, { stamp: string; session: ShopSession }>();

  constructor(deps: ActivityDeps) {
    this.#deps = deps;
    this.#book = new ShopBook(deps.writer.pool, deps.network, deps.vault);
  }

  /** Null: the channel has no shop account, is not active, or nobody speaks its platform's protocol. */
  async of(code: string): Promise<ShopSession | null> {
    const shop = await this.#book.find(code);
    const kind = shop && channelKind(shop.channel.platform);
    if (!shop || !kind || !this.#deps.network.channels.get(code)?.active) return null;
    const stamp = `${shop.updatedAt.getTime()}|${shop.channel.platform}|${shop.channel.currency}`;
    const known = this.#known.get(code);
    if (known?.stamp === stamp) return known.session;
    const session: ShopSession = { shop, kind: { ...kind, capabilities: { ...kind.capabilities, ...kind.capable?.(shop.settings) } }, connector: this.#connect(shop, kind) };
    this.#known.set(code, { stamp, session });
    return session;
  }

  #connect(shop: ShopRow, kind: ChannelKind): ChannelConnector {
    const { writer, vault, raw } = this.#deps;
    const limiter = new Limiter({ ...kind.limits, ...shop.limits });
    const own = shop.settings['timeoutMs'];
    let serial: number | null = null;
    const io: ChannelIo = {
      now: () => writer.clock().getTime(),
      uuid: uuidv7,
      call: async (call) => {
        await limiter.take(call.family);
        const answer = await raw(call, typeof own === 'number' ? own : kind.timeoutMs);
        if (answer.status === 429) {
          const after = Number(answer.headers['retry-after']) * 1000 || THROTTLED_MS;
          limiter.pause(call.family, after);
          throw new PartnerThrottled(`${shop.channel.code}: 429 for ${call.family}`, after);
        }
        if (answer.status >= 500) throw new PartnerUnavailable(`${shop.channel.code} answered ${answer.status} for ${call.family}`);
        return answer;
      },
      throttled: (family, ms) => {
        limiter.pause(family, ms);
        return new PartnerThrottled(`${shop.channel.code} wants fewer calls of ${family}`, ms);
      },
      token: async (fresh = false) => {
        const last = await readToken(writer.pool, vault, shop.channel.id);
        const good = last !== null && last.expiresAt > writer.clock().getTime() + RENEW_BEFORE_MS && !(fresh && last.serial === serial);
        if (good) {
          serial = last.serial;
          return last.access;
        }
        const { nextToken } = connector;
        if (!nextToken) throw new PartnerRefused(401, `the access token of ${shop.channel.code} is missing or no longer valid, and this platform gives no new one: set it anew`);
        const made = await refreshToken(writer.pool, vault, shop.channel.id, last?.serial ?? null, async (old) => {
          const token: Token = await nextToken.call(connector, old);
          return token;
        }, writer.clock());
        serial = made.serial;
        return made.access;
      },
    };
    const connector = kind.connect({ code: shop.channel.code, currency: shop.channel.currency, settings: shop.settings, secrets: shop.secrets }, io);
    return connector;
  }
}
