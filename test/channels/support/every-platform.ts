import { afterEach, describe } from 'vitest';
import type { ChannelKind } from '../../../channels/channel.ts';
import { channelKind, channelKinds } from '../../../channels/registry.ts';
import { ShopScene } from './shop-scene.ts';

type PlatformShop = ShopScene['platform']['shop'];

/** A shop on one platform of the registry, opened by the test that wants it and closed after it. */
export class EveryShop {
  readonly platform: string;
  readonly kind: ChannelKind;
  #scene: ShopScene | null = null;

  constructor(kind: ChannelKind) {
    this.platform = kind.platform;
    this.kind = kind;
  }

  /** One on a platform of the registry by its name. */
  static on(platform: string): EveryShop {
    const kind = channelKind(platform);
    if (!kind) throw new Error(`no platform "${platform}" in the registry`);
    return new EveryShop(kind);
  }

  get capabilities(): ChannelKind['capabilities'] { return this.kind.capabilities; }
  /** Events come by themselves: over HTTP or over a stream. */
  get pushed(): boolean { return ['signed', 'encrypted', 'stream'].includes(this.capabilities.push); }

  get #open(): ShopScene {
    if (!this.#scene) throw new Error('the shop is not selling yet');
    return this.#scene;
  }

  /** All listings are known to us and told: 30 of each. */
  async selling(settings: Record<string, unknown> = {}): Promise<ShopScene> {
    const scene = await ShopScene.open(this.platform, settings);
    this.#scene = scene;
    await scene.list();
    return scene;
  }

  stockOf(sku: string): number { return this.#open.platform.shop.item(sku).stock; }

  /** Somebody orders there; what is asked for is in stock. */
  place(...args: Parameters<PlatformShop['place']>): NonNullable<ReturnType<PlatformShop['place']>> {
    const order = this.#open.platform.shop.place(...args);
    if (!order) throw new Error('the platform has not enough of it');
    return order;
  }

  async close(): Promise<void> {
    const scene = this.#scene;
    this.#scene = null;
    await scene?.close();
  }
}

/** The same tests for every platform of the registry, against its simulator, through the API, the database and the shop's look. */
export function everyPlatform(tests: (shop: EveryShop) => void): void {
  describe.each(channelKinds.map((kind) => [kind.platform, kind] as const))('%s', (_, kind) => {
    const shop = new EveryShop(kind);
    afterEach(async () => { await shop.close(); });
    tests(shop);
  });
}
