import { readFile } from 'node:fs/promises';
import { douyin } from '../../../simulators/douyin/protocol.ts';
import { genericShop } from '../../../simulators/generic-shop/protocol.ts';
import { jd } from '../../../simulators/jd/protocol.ts';
import { kuaishou } from '../../../simulators/kuaishou/protocol.ts';
import { pinduoduo } from '../../../simulators/pinduoduo/protocol.ts';
import { shopify } from '../../../simulators/shopify/protocol.ts';
import { taobao } from '../../../simulators/taobao/protocol.ts';
import { wechat } from '../../../simulators/wechat/protocol.ts';
import { woocommerce } from '../../../simulators/woocommerce/protocol.ts';
import type { Protocol } from '../../../simulators/platform/protocol.ts';

/** The simulator of each platform and the account under which it knows us. */
export const SIMULATORS: Readonly<Record<string, { protocol: Protocol; folder: string }>> = {
  douyin: { protocol: douyin, folder: 'douyin' },
  kuaishou: { protocol: kuaishou, folder: 'kuaishou' },
  wechat: { protocol: wechat, folder: 'wechat' },
  pinduoduo: { protocol: pinduoduo, folder: 'pinduoduo' },
  shopify: { protocol: shopify, folder: 'shopify' },
  woocommerce: { protocol: woocommerce, folder: 'woocommerce' },
  taobao: { protocol: taobao, folder: 'taobao' },
  jd: { protocol: jd, folder: 'jd' },
  generic: { protocol: genericShop, folder: 'generic-shop' },
};

export async function accountOf(folder: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(new URL(`../../../simulators/${folder}/account.json`, import.meta.url), 'utf8')) as Record<string, unknown>;
}
