import { createHash } from 'node:crypto';
import type { CourierParcel, CourierStep } from '../courier/courier.ts';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

const md5 = (...parts: string[]): string => parts.reduce((h, part) => h.update(part, 'utf8'), createHash('md5')).digest('hex').toUpperCase();
const STATES: Record<CourierStep, string> = {
  picked_up: '1', in_transit: '0', customs: '10', out_for_delivery: '5', ready_for_pickup: '501', attempt_failed: '14', exception: '2', returning: '6', returned: '4', delivered: '3',
};
const AGAIN_MS = 1_800_000;
const chinese = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/** The whole history, newest first, as callbacks and queries show it. */
function result(parcel: CourierParcel) {
  const last = parcel.routes.at(-1);
  return {
    message: 'ok', nu: parcel.no, com: parcel.carrier, ischeck: parcel.status === 'delivered' ? '1' : '0', state: last ? STATES[last.step].slice(0, 1) : '0', status: '200', condition: 'F00',
    data: [...parcel.routes].reverse().map((r) => ({ time: chinese(r.at), ftime: chinese(r.at), context: `${r.remark} (${r.id.slice(-2)})`, status: r.step, statusCode: STATES[r.step], areaCode: 'CN310000000000', areaName: r.place, location: r.place })),
  };
}
type Param = { company?: string; com?: string; number?: string; num?: string; phone?: string; key?: string; parameters?: { salt?: string; callbackurl?: string; phone?: string } };

/** 快递100: takes announcements, calls back for each piece of news with everything known of the parcel, three times half an hour apart. */
export const kuaidi100: CourierProtocol = {
  batch: 1, retries: [1_800_000, 1_800_000, 1_800_000], deadlineMs: 5_000, word: (step) => STATES[step],
  acknowledged: (status, body) => {
    try {
      const answer = JSON.parse(body) as { result?: unknown; returnCode?: unknown };
      return status === 200 && answer.result === true && answer.returnCode === '200';
    } catch {
      return false;
    }
  },
  push([event], _host, { bad }) {
    if (!event?.parcel.followed || (event.parcel.extra['stoppedAt'] !== undefined && !event.gaveUp)) return null;
    const { parcel } = event;
    const param = JSON.stringify({ status: event.gaveUp ? 'abort' : parcel.status === 'delivered' || parcel.status === 'returned' ? 'shutdown' : 'polling', billstatus: 'got', message: event.gaveUp ? '3天查询无记录' : '', autoCheck: '0', comOld: '', comNew: '', lastResult: result(parcel) });
    const body = new URLSearchParams({ sign: bad === 'forged' ? md5(param, 'guess') : md5(param, String(parcel.extra['salt'])), param }).toString();
    return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: bad === 'truncated' ? body.slice(0, -30) : body };
  },
  routes(app, host) {
    const { courier, settings } = host;
    const form = (body: unknown) => new URLSearchParams(String(body));
    const words = { down: () => ({ result: false, returnCode: '500', message: '服务器错误' }), throttled: () => ({ result: false, returnCode: '502', message: '服务器繁忙' }) };
    app.post('/poll', (request) => underFaults<object>(host, true, words, () => {
      const f = form(request.body);
      const param = JSON.parse(f.get('param') ?? '{}') as Param;
      if (f.get('schema') !== 'json' || !param.company || !param.number || !param.parameters?.callbackurl) return { result: false, returnCode: '700', message: '订阅的数据格式错误' };
      if (param.key !== settings['key']) return { result: false, returnCode: '600', message: '您不是合法的订阅者' };
      const parcel = courier.parcels.get(param.number) ?? courier.know(param.number, param.company);
      // Given up, it is taken again after half an hour.
      if (parcel.followed && !(Number(parcel.extra['stoppedAt'] ?? Number.NaN) + AGAIN_MS <= host.clock())) return { result: false, returnCode: '501', message: '重复订阅' };
      parcel.followed = true;
      delete parcel.extra['stoppedAt'];
      parcel.extra['salt'] = param.parameters.salt ?? '';
      return { result: true, returnCode: '200', message: '提交成功' };
    }));
    app.post('/poll/query.do', (request) => underFaults<object>(host, false, words, () => {
      const f = form(request.body);
      const raw = f.get('param') ?? '';
      if (f.get('sign') !== md5(raw, String(settings['key']), String(settings['customer'])) || f.get('customer') !== settings['customer']) return { result: false, returnCode: '503', message: '验证签名失败' };
      const param = JSON.parse(raw) as Param;
      const parcel = courier.parcels.get(param.num ?? '');
      return parcel && parcel.carrier === param.com && parcel.routes.length > 0 ? result(parcel) : { result: false, returnCode: '500', message: '查询无结果，请隔段时间再查' };
    }));
  },
};
