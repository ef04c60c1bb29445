import { capabilitiesOf, type ChannelConnector, type ChannelIo, type ChannelKind } from '../../channels/channel.ts';
import { channelKind } from '../../channels/registry.ts';
import { ShopBook, type ShopRow } from '../../db/channels/shops.ts';
import { channelTokens } from '../../db/tokens.ts';
import type { ActivityDeps } from '../deps.ts';
import { createDesk } from './desk.ts';
import { createIo } from './io.ts';
import { AppLimiters, Limiter } from './limiter.ts';

/** A shop and the connector that speaks for it. */
export type ShopSession = { shop: ShopRow; kind: ChannelKind; connector: ChannelConnector };

/** Makes and keeps the sessions of a process; one is made anew when the shop's account has changed. */
export class ShopSessions {
  readonly #deps: ActivityDeps;
  readonly #book: ShopBook;
  readonly #apps = new AppLimiters();
  readonly #known = new Map<string, { stamp: string; session: ShopSession }>();

  constructor(deps: ActivityDeps) {
    this.#deps = deps;
    this.#book = new ShopBook(deps.writer.pool, deps.network, deps.vault);
  }

  /** Null: the channel has no shop account, is not active, or nobody speaks its platform's protocol. */
  async of(code: string): Promise<ShopSession | null> {
    this.#book.forget(code); // an account that was just put right must not be tried as it was
    const shop = await this.#book.find(code);
    const kind = shop && channelKind(shop.channel.platform);
    if (!shop || !kind || !this.#deps.network.channels.get(code)?.active) return null;
    const stamp = `${shop.updatedAt.getTime()}|${shop.channel.platform}|${shop.channel.currency}`;
    const known = this.#known.get(code);
    if (known?.stamp === stamp) return known.session;
    const session: ShopSession = { shop, kind: { ...kind, capabilities: capabilitiesOf(kind, shop.settings) }, connector: this.#connect(shop, kind) };
    this.#known.set(code, { stamp, session });
    return session;
  }

  #connect(shop: ShopRow, kind: ChannelKind): ChannelConnector {
    const { writer, vault, raw } = this.#deps;
    const own = shop.settings['timeoutMs'];
    const io: ChannelIo = { desk: createDesk(this.#deps, shop), ...createIo({
      code: shop.channel.code, limiter: new Limiter({ ...kind.limits, ...shop.limits }), app: kind.appLimits && this.#apps.of(kind.platform, kind.appLimits.app(shop.settings), kind.appLimits.limits), raw, timeoutMs: typeof own === 'number' ? own : kind.timeoutMs, now: () => writer.clock().getTime(),
      tokens: {
        read: () => channelTokens.read(writer.pool, vault, shop.channel.id),
        refresh: (beyond, next) => channelTokens.refresh(writer.pool, vault, shop.channel.id, beyond, next, writer.clock()),
      },
      connector: () => connector,
    }) };
    const connector = kind.connect({ code: shop.channel.code, currency: shop.channel.currency, settings: shop.settings, secrets: shop.secrets }, io);
    return connector;
  }
}
