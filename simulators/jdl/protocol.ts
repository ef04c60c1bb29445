import { createHash, createHmac } from 'node:crypto';
import type { CourierStep } from '../courier/courier.ts';
import type { CourierProtocol } from '../courier/protocol.ts';
import { underFaults } from '../courier/start-courier.ts';

const STATES: Partial<Record<CourierStep, string>> = {
  picked_up: '200001', in_transit: '200010', out_for_delivery: '200020', ready_for_pickup: '200025', attempt_failed: '200030', exception: '200040', returning: '200050', returned: '200060', delivered: '200070',
};
const chinese = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
const SKEW_MS = 600_000;

/** What the gateway computes of a call, from what it received. */
export function expected(secret: string, path: string, query: Readonly<Record<string, string>>, body: string): string {
  const content = `${secret}access_token${query['access_token'] ?? ''}app_key${query['app_key'] ?? ''}method${path}param_json${body}timestamp${query['timestamp'] ?? ''}v${query['v'] ?? ''}${secret}`;
  const algorithm = query['algorithm'] ?? '';
  return algorithm === 'md5-salt' ? createHash('md5').update(content).digest('hex') : createHmac(algorithm.replace('HMac', '').toLowerCase(), secret).update(content).digest('base64');
}
type Args = { customerCode?: string; orderId?: string; waybillCode?: string; receiverContact?: { name?: string; mobile?: string; fullAddress?: string } };

/** JDL's gateway: ten minutes of clock skew, signed queries, arguments as an array. It is asked, and pushes nothing. */
export const jdl: CourierProtocol = {
  batch: 1, retries: [60_000], deadlineMs: 5_000, word: (step) => STATES[step] ?? null, acknowledged: () => true, push: () => null,
  routes(app, host) {
    const { courier, settings } = host;
    const bad = (code: string, msg: string): object => ({ success: false, code, msg });
    const good = (data: unknown): object => ({ success: true, code: '0', msg: '', data });
    app.post('/ecap/v1/orders/*', (request) => {
      const query = request.query as Record<string, string>;
      const path = request.url.split('?')[0] ?? '';
      const body = String(request.body);
      const at = Date.parse(`${(query['timestamp'] ?? '').replace(' ', 'T')}+08:00`);
      if (!(Math.abs(host.clock() - at) <= SKEW_MS)) return bad('1101', 'timestamp');
      if (query['app_key'] !== settings['appKey'] || query['access_token'] !== settings['accessToken'] || !query['LOP-DN'] || request.headers['lop-tz'] !== '8') return bad('1102', 'app_key, access_token, LOP-DN or lop-tz');
      if (query['sign'] !== expected(String(settings['appSecret']), path, query, body)) return bad('1103', 'sign');
      return underFaults<object>(host, path.endsWith('/create'), { down: () => bad('503', 'down'), throttled: () => bad('1201', 'too fast') }, () => {
        const [args] = JSON.parse(body) as [Args];
        if (args.customerCode !== settings['customerCode']) return bad('4001', 'customerCode');
        const parcel = courier.byOrder.get(args.orderId ?? '');
        if (path.endsWith('/create')) {
          if (!args.orderId || !args.receiverContact?.name || !args.receiverContact.mobile || !args.receiverContact.fullAddress) return bad('4002', 'receiverContact');
          return good({ orderCode: args.orderId, waybillCode: (parcel ?? courier.issue('JDV', 'jdl', args.orderId, { request: args })).no });
        }
        if (path.endsWith('/cancel')) {
          if (!parcel) return bad('4003', 'unknown order');
          if (parcel.status === 'issued') parcel.status = 'cancelled';
          return parcel.status === 'cancelled' ? good({ result: true }) : bad('4004', 'picked up');
        }
        const wanted = courier.parcels.get(args.waybillCode ?? '');
        return good({ traceDetails: (wanted?.routes ?? []).map((r) => ({ waybillCode: wanted?.no, operationTime: chinese(r.at), state: STATES[r.step] ?? '0', operationRemark: r.remark, city: r.place })) });
      });
    });
  },
};
