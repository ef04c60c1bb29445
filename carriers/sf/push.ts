import type { TrackingStatus } from '../../domain/order/milestone.ts';
import { MILESTONES } from '../../domain/order/milestone.ts';
import { jsonReply, type Account, type CarrierEvent, type Push, type Received, type Reply } from '../carrier.ts';
import { bag, chinaTime, list, parseJson, text, textMap, type Bag } from '../read.ts';

/** opCodes that are known (protocols.md B1: M; 33 and 70: L). Any other is kept and moves nothing. */
const OP_CODES: Readonly<Record<string, TrackingStatus>> = {
  50: 'picked_up', 54: 'picked_up', 30: 'in_transit', 31: 'in_transit', 36: 'in_transit', 3036: 'in_transit', 130: 'in_transit', 607: 'in_transit', 44: 'out_for_delivery', 204: 'out_for_delivery',
  33: 'attempt_failed', 70: 'exception', 80: 'delivered', 8000: 'note', 99: 'returning', 631: 'returning', 648: 'returning',
};

/** What an opCode means: by the account's settings first. */
export function meaning(account: Account, opCode: string): TrackingStatus {
  const own = textMap(account.settings['opCodes'])[opCode];
  return MILESTONES.find((m) => m === own) ?? (own === 'note' ? 'note' : OP_CODES[opCode] ?? 'note');
}

/** A route as an event. Its id is made of what it says: pushes have one of their own, answers to questions have none, and both tell of the same fact. */
export function routeEvent(account: Account, waybillNo: string | null, route: Bag): CarrierEvent | null {
  const [at, opCode] = [chinaTime(route['acceptTime']), text(route['opCode'])];
  if (waybillNo === null || at === null || opCode === null) return null;
  const [description, city] = [text(route['remark']), text(route['acceptAddress'])];
  const status = meaning(account, opCode);
  return {
    eventId: `${waybillNo}|${at}|${opCode}`, waybillNo, status, source: opCode, occurredAt: at, ...(status === 'delivered' ? { endsReturn: true } : {}),
    ...(description === null ? {} : { description }), ...(city === null ? {} : { city }),
  };
}

const MOST = 10;

/**
 * A route push: JSON, or XML in the field `content` of a form. It carries no signature: our address is its secret, and the sender's address where the account lists them. Whatever is
 * not acknowledged comes again whole.
 */
export function receive(account: Account, push: Push): Received {
  const form = (push.headers['content-type'] ?? '').includes('form');
  const words = form ? XML : JSON_WORDS;
  const senders = list(account.settings['senders']);
  if (senders.length > 0 && !senders.includes(push.ip)) return { kind: 'rejected', reason: 'sender', reply: words.bad('sender') };
  const raw = push.body.toString('utf8');
  const routes = form ? xmlRoutes(new URLSearchParams(raw).get('content') ?? '') : jsonRoutes(raw);
  const events = (routes ?? []).flatMap((r) => routeEvent(account, text(r['mailno']), r) ?? []);
  if (routes === null || routes.length === 0 || routes.length > MOST || events.length !== routes.length) return { kind: 'rejected', reason: 'malformed', reply: words.bad('malformed') };
  return { kind: 'events', events, reply: words.good, failed: words.bad('not kept') };
}

function jsonRoutes(raw: string): Bag[] | null {
  const body = bag(parseJson(raw));
  const routes = bag(body['Body'] ?? body)['WaybillRoute'];
  return Array.isArray(routes) ? list(routes).map(bag) : null;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: '\'' };
const entity = (whole: string, name: string): string => {
  const code = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name);
  const point = code ? Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16) : Number.NaN;
  return ENTITIES[name] ?? (point >= 0x20 && point <= 0x10ffff ? String.fromCodePoint(point) : whole);
};
/** The attributes of each `WaybillRoute` element; null where the document does not end. */
function xmlRoutes(xml: string): Bag[] | null {
  if (!/<\/Request>\s*$/.test(xml)) return null;
  return [...xml.matchAll(/<WaybillRoute\b((?:"[^"]*"|'[^']*'|[^>"'])*)>/g)].map(([, attributes = '']) => Object.fromEntries([...attributes.matchAll(/([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)]
    .map(([, name = '', double, single = '']) => [name, (double ?? single).replace(/&(#?\w+);/g, entity)])));
}

type Words = { good: Reply; bad(why: string): Reply };
const JSON_WORDS: Words = { good: jsonReply(200, { return_code: '0000', return_msg: '成功' }), bad: (why) => jsonReply(200, { return_code: '1000', return_msg: why }) };
const xml = (head: string, rest: string): Reply => ({ status: 200, contentType: 'text/xml; charset=utf-8', body: `<Response service="RoutePushService"><Head>${head}</Head>${rest}</Response>` });
const XML: Words = { good: xml('OK', ''), bad: (why) => xml('ERR', `<ERROR code="4001">${why}</ERROR>`) };
