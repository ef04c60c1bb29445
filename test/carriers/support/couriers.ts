import { readFile } from 'node:fs/promises';
import type { CourierProtocol } from '../../../simulators/courier/protocol.ts';
import { cainiao } from '../../../simulators/cainiao/protocol.ts';
import { douyinWaybill } from '../../../simulators/douyin-waybill/protocol.ts';
import { easypost } from '../../../simulators/easypost/protocol.ts';
import { genericCarrier } from '../../../simulators/generic-carrier/protocol.ts';
import { jdWaybill } from '../../../simulators/jd-waybill/protocol.ts';
import { jdl } from '../../../simulators/jdl/protocol.ts';
import { kuaishouWaybill } from '../../../simulators/kuaishou-waybill/protocol.ts';
import { kuaidi100 } from '../../../simulators/kuaidi100/protocol.ts';
import { pinduoduoWaybill } from '../../../simulators/pinduoduo-waybill/protocol.ts';
import { sf } from '../../../simulators/sf/protocol.ts';
import { track17 } from '../../../simulators/track17/protocol.ts';
import { wechatWaybill } from '../../../simulators/wechat-waybill/protocol.ts';

/** The simulator of each kind, and its word for the carrier whose parcels it follows. */
export const COURIERS: Readonly<Record<string, { protocol: CourierProtocol; folder: string; word?: string }>> = {
  generic: { protocol: genericCarrier, folder: 'generic-carrier' },
  sf: { protocol: sf, folder: 'sf' },
  kuaidi100: { protocol: kuaidi100, folder: 'kuaidi100', word: 'yuantong' },
  easypost: { protocol: easypost, folder: 'easypost', word: 'USPS' },
  '17track': { protocol: track17, folder: 'track17', word: '190157' },
  cainiao: { protocol: cainiao, folder: 'cainiao', word: 'YTO' },
  'douyin-waybill': { protocol: douyinWaybill, folder: 'douyin-waybill', word: 'yuantong' },
  'kuaishou-waybill': { protocol: kuaishouWaybill, folder: 'kuaishou-waybill', word: 'YTO' },
  'wechat-waybill': { protocol: wechatWaybill, folder: 'wechat-waybill', word: 'YTO' },
  'pinduoduo-waybill': { protocol: pinduoduoWaybill, folder: 'pinduoduo-waybill', word: 'YTO' },
  'jd-waybill': { protocol: jdWaybill, folder: 'jd-waybill', word: 'YTO' },
  jdl: { protocol: jdl, folder: 'jdl' },
};

export async function accountOf(folder: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(new URL(`../../../simulators/${folder}/account.json`, import.meta.url), 'utf8')) as Record<string, unknown>;
}
