import { afterEach, describe, expect, it } from 'vitest';
import { channelKind } from '../../../channels/registry.ts';
import { readShrinkingList } from '../support/shrinking-list.ts';
import { ShopScene } from '../support/shop-scene.ts';

/** Platforms whose lists are paged by their numbers: an order that changes while they are read leaves its window, and all behind it move up. */
describe.each(['douyin', 'woocommerce', 'taobao', 'jd', 'pinduoduo'])('%s', (platform) => {
  let scene: ShopScene | null = null;
  afterEach(async () => {
    await scene?.close();
    scene = null;
  });

  it('misses no order although the list shrinks while its pages are read', async () => {
    const kind = channelKind(platform);
    if (!kind) throw new Error(`${platform} is not in the registry`);
    scene = await ShopScene.open(platform);
    expect(await readShrinkingList(scene, kind, 250, [5, 120, 220])).toEqual({ missed: [], stayed: [] });
  });
});
