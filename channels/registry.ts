import type { ChannelKind } from './channel.ts';
import { dealer } from './dealer/index.ts';
import { douyin } from './douyin/index.ts';
import { generic } from './generic/index.ts';
import { jd } from './jd/index.ts';
import { kuaishou } from './kuaishou/index.ts';
import { pinduoduo } from './pinduoduo/index.ts';
import { shopify } from './shopify/index.ts';
import { taobao } from './taobao/index.ts';
import { wechat } from './wechat/index.ts';
import { woocommerce } from './woocommerce/index.ts';

/** Every platform that is spoken whole; a new one is a folder and a line here. */
export const channelKinds: readonly ChannelKind[] = [
  generic,
  douyin,
  kuaishou,
  wechat,
  pinduoduo,
  shopify,
  woocommerce,
  taobao,
  jd,
];

/** All that a channel may be: platforms with an API, and dealers that send files, to whom the contract over HTTP does not apply. */
export const allKinds: readonly ChannelKind[] = [...channelKinds, dealer];

const byPlatform = new Map(allKinds.map((kind) => [kind.platform, kind]));

export const channelKind = (platform: string): ChannelKind | null => byPlatform.get(platform) ?? null;
