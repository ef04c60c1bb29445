import type { CarrierKind } from './carrier.ts';
import { cainiao } from './cainiao/index.ts';
import { douyinWaybill } from './douyin-waybill/index.ts';
import { easypost } from './easypost/index.ts';
import { generic } from './generic/index.ts';
import { jdWaybill } from './jd-waybill/index.ts';
import { jdl } from './jdl/index.ts';
import { kuaidi100 } from './kuaidi100/index.ts';
import { kuaishouWaybill } from './kuaishou-waybill/index.ts';
import { pinduoduoWaybill } from './pinduoduo-waybill/index.ts';
import { sf } from './sf/index.ts';
import { track17 } from './track17/index.ts';
import { wechatWaybill } from './wechat-waybill/index.ts';

export { drawLabel } from './label-pdf.ts';

/** Every carrier, tracker and waybill service that is spoken whole; a new one is a folder and a line here. */
export const carrierKinds: readonly CarrierKind[] = [generic, sf, kuaidi100, easypost, track17, cainiao, jdl, douyinWaybill, kuaishouWaybill, wechatWaybill, pinduoduoWaybill, jdWaybill];

const byKind = new Map(carrierKinds.map((kind) => [kind.kind, kind]));

export const carrierKind = (kind: string): CarrierKind | null => byKind.get(kind) ?? null;
