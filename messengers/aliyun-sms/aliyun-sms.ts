import { PartnerRefused, PartnerThrottled, PartnerUnavailable, textField } from '../../domain/http-port.ts';
import { json, THROTTLE_MS, type MessengerAccount, type MessengerIo, type MessengerKind } from '../messenger.ts';
import { signAcs3 } from './sign.ts';

const VERSION = '2017-05-25';
/** Codes after which nothing was sent and a later try may go through: too many to this number just now, or the caller itself is throttled. */
const LATER = new Set(['isv.BUSINESS_LIMIT_CONTROL', 'Throttling', 'Throttling.User', 'Throttling.Api', 'isv.DAY_LIMIT_CONTROL', 'isv.AMOUNT_NOT_ENOUGH', 'isv.OUT_OF_SERVICE']);
/** 中国标准时间 all year round: days are counted there. */
const CHINA_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;
const PAGE = 50;

type Detail = { OutId?: string; SendStatus?: number; ErrCode?: string };

/**
 * SMS of Alibaba Cloud (短信服务, Dysmsapi 2017-05-25): `SendSms` by a registered signature and template, our id as `OutId`. It knows no idempotency key, so an outcome that is unknown is looked up by
 * `QuerySendDetails` (by number and day, each detail with its OutId). SendStatus: 1 under way, 2 failed, 3 arrived.
 */
export const aliyunSms: MessengerKind = {
  kind: 'aliyun-sms', name: 'SMS by Alibaba Cloud (阿里云短信)', ways: ['sms'], repeats: 'lookup',
  settings: {
    required: ['accessKeyId', 'accessKeySecret', 'signName'],
    properties: {
      accessKeyId: { type: 'string', minLength: 4, description: 'the AccessKey id' },
      accessKeySecret: { type: 'string', minLength: 8, secret: true, description: 'the AccessKey secret' },
      signName: { type: 'string', minLength: 2, description: 'the registered signature (签名)' },
      url: { type: 'string', pattern: '^https?://', default: 'https://dysmsapi.aliyuncs.com', description: 'where the API is' },
    },
  },
  connect(account, io) {
    return {
      async send({ key, to, providerTemplate, params }) {
        if (providerTemplate === null) throw new PartnerRefused(422, 'the template has no providerTemplate: a text message needs a registered one');
        const body = await call(account, io, 'SendSms', { PhoneNumbers: to, SignName: String(account.settings['signName']), TemplateCode: providerTemplate, TemplateParam: JSON.stringify(params), OutId: key });
        return { ref: textField(body, 'BizId') };
      },
      async find({ key, to }, since) {
        return (await detailOf(account, io, to, key, since)) === null ? null : { ref: null };
      },
      async state({ key, to, sentAt }) {
        const detail = await detailOf(account, io, to, key, sentAt);
        if (detail?.SendStatus === 2) return { state: 'failed', reason: detail.ErrCode ?? 'the network does not say why' };
        return { state: detail?.SendStatus === 3 ? 'delivered' : 'under_way' };
      },
    };
  },
};

/** The message among those that went to the number on the day of `since` and the one after it; null where it is not. */
async function detailOf(account: MessengerAccount, io: MessengerIo, to: string, key: string, since: number): Promise<Detail | null> {
  for (let at = since; at < since + 2 * DAY_MS && at <= io.now() + DAY_MS; at += DAY_MS) {
    const day = new Date(at + CHINA_MS).toISOString().slice(0, 10).replaceAll('-', '');
    for (let page = 1; ; page++) {
      const body = await call(account, io, 'QuerySendDetails', { PhoneNumber: to, SendDate: day, PageSize: String(PAGE), CurrentPage: String(page) });
      const list = (body['SmsSendDetailDTOs'] as { SmsSendDetailDTO?: Detail[] } | undefined)?.SmsSendDetailDTO ?? [];
      const found = list.find((d) => d.OutId === key);
      if (found) return found;
      if (list.length < PAGE) break;
    }
  }
  return null;
}

async function call({ settings, secrets }: MessengerAccount, io: MessengerIo, action: string, query: Record<string, string>): Promise<Record<string, unknown>> {
  const url = String(settings['url']);
  const { headers, query: signed } = signAcs3({
    host: new URL(url).host, action, version: VERSION, query, date: `${new Date(io.now()).toISOString().slice(0, 19)}Z`, nonce: io.uuid().replaceAll('-', ''),
    accessKeyId: String(settings['accessKeyId']), accessKeySecret: secrets['accessKeySecret'] ?? '',
  });
  // The host header is the client's own: it is signed, not sent twice.
  const answer = await io.call({ method: 'POST', url: `${url}/?${signed}`, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'host')) });
  const body = json(answer.text);
  const code = textField(body, 'Code');
  if (body !== null && code === 'OK') return body;
  if (answer.status === 429 || (code !== null && LATER.has(code))) throw new PartnerThrottled(code ?? 'throttled', THROTTLE_MS);
  if (body === null || code === null || answer.status >= 500 || code.startsWith('isp.')) throw new PartnerUnavailable(code ?? `status ${answer.status}`);
  throw new PartnerRefused(answer.status, code);
}
