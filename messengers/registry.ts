import { aliyunSms } from './aliyun-sms/aliyun-sms.ts';
import { generic } from './generic/generic.ts';
import type { MessengerKind } from './messenger.ts';
import { resend } from './resend/resend.ts';
import { wecom } from './wecom/wecom.ts';

/** Every provider that is spoken; a new one is a folder and a line here. */
export const messengerKinds: readonly MessengerKind[] = [wecom, aliyunSms, resend, generic];

const byKind = new Map(messengerKinds.map((k) => [k.kind, k]));

export const messengerKind = (kind: string): MessengerKind | null => byKind.get(kind) ?? null;
