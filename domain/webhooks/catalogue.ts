/** A type of event: what it says, and the facts of the order's timeline that it carries: ids, codes, numbers and times, never words that somebody wrote. `lists`: facts that are many, and what of each. */
export type EventType = { summary: string; data: readonly string[]; lists?: Readonly<Record<string, readonly string[]>> };

const ORDER = ['fulfillmentOrder'] as const;
/** Version 1 of the catalogue. Fields are added, never changed or taken away; what would break a reader becomes a new type. */
export const WEBHOOK_EVENTS = {
  'order.captured': { summary: 'An order is in', data: [] },
  'order.validated': { summary: 'Its checks have passed', data: [] },
  'order.held': { summary: 'It waits for somebody', data: [] },
  'order.hold_released': { summary: 'It goes on', data: [] },
  'order.paid': { summary: 'It is paid, or its deposit is', data: ['deposit', 'balance'] },
  'order.backordered': { summary: 'It waits for stock', data: [] },
  'order.reserved': { summary: 'Its units are set aside', data: [] },
  'order.routed': { summary: 'Where it ships from is decided', data: [] },
  'order.address_changed': { summary: 'It goes to another address', data: [] },
  'order.repriced': { summary: 'What it costs has changed before it was paid', data: ['from', 'to'] },
  'order.cancel_requested': { summary: 'Somebody wants it cancelled', data: [] },
  'order.cancel_refused': { summary: 'It cannot be cancelled any more', data: [] },
  'order.units_cancelled': { summary: 'Some of its units are cancelled', data: [] },
  'order.cancelled': { summary: 'It is cancelled', data: [] },
  'order.rejected': { summary: 'It was refused by a rule', data: [] },
  'order.expired': { summary: 'It was not paid in time', data: [] },
  'order.split': { summary: 'Part of it is an order of its own', data: [] },
  'order.merged_into': { summary: 'It ships with another', data: ['order'] },
  'order.confirmed': { summary: 'Nothing is in its way', data: [] },
  'order.in_fulfillment': { summary: 'Locations are at work on it', data: [] },
  'order.partially_shipped': { summary: 'Part of it is on its way', data: [] },
  'order.shipped': { summary: 'All of it is on its way', data: [] },
  'order.delivered': { summary: 'All of it has arrived', data: [] },
  'order.closed': { summary: 'Its return window is over', data: [] },
  'fulfillment.released': { summary: 'A location has been told to ship', data: ORDER },
  'fulfillment.accepted': { summary: 'The location ships it', data: ORDER },
  'fulfillment.rejected': { summary: 'The location does not', data: ORDER },
  'fulfillment.short_picked': { summary: 'Units are missing there', data: ORDER },
  'fulfillment.packed': { summary: 'It is packed', data: [...ORDER, 'parcels'] },
  'fulfillment.issued': { summary: 'Parcels have left', data: [...ORDER, 'shipment'], lists: { parcels: ['carrier', 'waybillNo'] } },
  'fulfillment.cancelled': { summary: 'A location ships nothing', data: ORDER },
  'pickup.ready': { summary: 'It can be fetched', data: ORDER },
  'pickup.handed_out': { summary: 'It was fetched', data: ORDER },
  'pickup.no_show': { summary: 'Nobody fetched it', data: ORDER },
  'parcel.picked_up': { summary: 'The carrier has the parcel', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.in_transit': { summary: 'It is on its way', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.out_for_delivery': { summary: 'It comes today', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.attempt_failed': { summary: 'Nobody took it', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.exception': { summary: 'It has met trouble', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.delivered': { summary: 'It has arrived', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.lost': { summary: 'It is lost', data: ['parcel', 'carrier', 'waybillNo'] },
  'parcel.returned': { summary: 'It has come back', data: ['parcel', 'carrier', 'waybillNo'] },
  'promise.at_risk': { summary: 'Its promise is at risk', data: [] },
  'promise.broken': { summary: 'Its promise was not kept', data: ['lateMinutes'] },
  'promise.recovered': { summary: 'Its promise will be kept after all', data: [] },
  'promise.kept': { summary: 'It was called broken, but the goods had come in time: the news was late', data: [] },
  'return.requested': { summary: 'Somebody wants to send units back', data: ['return'] },
  'return.authorised': { summary: 'They may', data: ['return', 'method'] },
  'return.received': { summary: 'The units are back', data: ['return'] },
  'return.inspected': { summary: 'Their condition is known', data: ['return'] },
  'return.closed': { summary: 'The return is done', data: ['return', 'kind'] },
  'return.refused': { summary: 'They may not', data: ['return'] },
  'return.cancelled': { summary: 'They keep them', data: ['return'] },
  'refund.requested': { summary: 'Somebody wants money back', data: ['request'] },
  'refund.due': { summary: 'Money is owed', data: ['refund', 'amount', 'currency'] },
  'refund.given': { summary: 'The platform gave money back and took no units off', data: ['afterSale', 'amount', 'currency'] },
  'refund.settled': { summary: 'It was paid', data: ['refund', 'amount', 'currency'] },
  'claim.opened': { summary: 'A carrier owes us', data: ['claim'] },
  'message.failed': { summary: 'A message to the buyer did not go out', data: ['template'] },
  'webhook.test': { summary: 'Sent by hand, to try the way', data: [] },
} as const satisfies Record<string, EventType>;

export type WebhookEventType = keyof typeof WEBHOOK_EVENTS;
export const WEBHOOK_EVENT_TYPES = Object.keys(WEBHOOK_EVENTS) as WebhookEventType[];
const BY_TYPE: ReadonlyMap<string, EventType> = new Map(Object.entries(WEBHOOK_EVENTS));

/** Standard Webhooks: fewer than 20 kB. */
export const MOST_BYTES = 20_000;
const WORD = /^[\w.:-]{1,100}$/;
/** A list is cut off where it is longer: its event must go out. */
const MOST_LISTED_BYTES = 15_000;

/** A code is a word; whatever is longer or holds a space may be what somebody wrote. */
const sayable = (value: unknown): boolean => typeof value === 'number' || (typeof value === 'string' && WORD.test(value));

function listed(value: unknown, fields: readonly string[]): Record<string, unknown>[] {
  const items = (Array.isArray(value) ? value : []).map((item: unknown) => Object.fromEntries(Object.entries(Object(item) as object).filter(([name, v]) => fields.includes(name) && sayable(v))));
  let bytes = 0;
  return items.filter((item) => (bytes += JSON.stringify(item).length + 1) <= MOST_LISTED_BYTES);
}

/** What goes out of a fact of a timeline, null for one that is not in the catalogue. `at`: ISO 8601. */
export function webhookBody(type: string, at: string, order: { id: string; channel: string } | null, facts: Readonly<Record<string, unknown>>): string | null {
  const known = BY_TYPE.get(type);
  if (!known) return null;
  const data: Record<string, unknown> = { v: 1, ...(order === null ? {} : { order: order.id, channel: order.channel }) };
  for (const name of known.data) {
    if (sayable(facts[name])) data[name === 'order' ? 'into' : name] = facts[name];
  }
  for (const [name, fields] of Object.entries(known.lists ?? {})) data[name] = listed(facts[name], fields);
  return JSON.stringify({ type, timestamp: at, data });
}

/** Seconds between the tries of Standard Webhooks: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: a little over three days. */
export const RETRY_S = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;

/** How long a delivery waits at most since it was written or replayed, s: as long as all tries take, and some hours for its turns where the endpoint hangs. Else those of an endpoint that takes less than happens would gather for ever. */
export const GIVE_UP_S = RETRY_S.reduce<number>((sum, s) => sum + s, 0) + 6 * 3_600;

/** What becomes of a delivery after its nth try (1: the first). `answer`: the status, null where none came. `retryAfterS`: what the answer asked for. */
export function afterTry(n: number, answer: number | null, retryAfterS: number | null): { status: 'delivered' } | { status: 'gone' } | { status: 'failed' } | { status: 'waiting'; inS: number; slow: boolean } {
  if (answer !== null && answer >= 200 && answer < 300) return { status: 'delivered' };
  if (answer === 410) return { status: 'gone' };
  const wait = RETRY_S[n];
  if (wait === undefined) return { status: 'failed' };
  return { status: 'waiting', inS: Math.max(wait, Math.min(retryAfterS ?? 0, 86_400)), slow: answer === 429 || answer === 502 || answer === 504 };
}

/** How long a whole endpoint is left alone after it said so `times` in a row, s. */
export function slowFor(times: number, retryAfterS: number | null): number {
  return Math.max(Math.min(5 * 2 ** (times - 1), 300), Math.min(retryAfterS ?? 0, 3_600));
}
