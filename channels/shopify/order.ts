import { bag, list, text, whole, type Bag } from '../safe-json.ts';
import { gid, tail, type ShopifyClient } from './client.ts';
import { FEW_FULFILLMENTS, FEW_REFUNDS, FULFILLMENT_LINES, FULFILLMENT_ORDER_LINES, FULFILLMENT_ORDERS, FULFILLMENTS, LINES, ORDER, REFUND, REFUNDS, RETURN, RETURNS } from './queries.ts';

/** Units by the platform's line ids. */
export type Units = ReadonlyMap<string, number>;
export type FulfillmentOrder = { id: string; open: boolean; location: string; lines: { id: string; lineId: string; remaining: number }[] };
/** An order and what it takes further calls to read. `neverSent`: units that were taken off before they left; null where the order itself says so. */
export type WholeOrder = { order: Bag; lines: Bag[]; fulfillments: Bag[]; refunds: Bag[]; returns: Bag[]; neverSent: Units | null };

/** States of a fulfillment order from which nothing is sent any more. */
const OVER = new Set(['CLOSED', 'CANCELLED']);
/** States from which something can be sent now. */
const OPEN = new Set(['OPEN', 'IN_PROGRESS', 'SCHEDULED']);
const GONE = new Set(['CANCELLED', 'ERROR', 'FAILURE']);

/** The first page, and all that follow it. `ask`: the connection after a cursor. */
async function pages(first: unknown, ask: (after: string) => Promise<unknown>): Promise<Bag[]> {
  const nodes: Bag[] = [];
  for (let page = bag(first); ;) {
    nodes.push(...list(page['nodes']).map(bag));
    const info = bag(page['pageInfo']);
    const cursor = text(info['endCursor']);
    if (info['hasNextPage'] !== true || cursor === null) return nodes;
    page = bag(await ask(cursor));
  }
}

const below = async (client: ShopifyClient, query: string, root: string, field: string, id: string, after: string | null): Promise<Bag> => bag(bag((await client.call(query, { id, after }))[root])[field]);
/** One object with a connection, whole: the object, its connection read to the end. */
async function wholeOf(client: ShopifyClient, query: string, root: string, field: string, id: string): Promise<Bag> {
  const found = bag((await client.call(query, { id, after: null }))[root]);
  return { ...found, [field]: { nodes: await pages(found[field], (after) => below(client, query, root, field, id, after)) } };
}

/** Null: the shop has none of that number. */
export async function readHead(client: ShopifyClient, externalId: string): Promise<Bag | null> {
  const order = bag((await client.call(ORDER, { id: gid('Order', externalId) }))['order']);
  return text(order['legacyResourceId']) === null ? null : order;
}

/** What is not in the order itself: pages that follow, refunds and returns where it has any, units sent and to be sent where some were taken off a part that has left. */
export async function readRest(client: ShopifyClient, order: Bag): Promise<WholeOrder> {
  const id = text(order['id']) ?? '';
  const lines = await pages(order['lineItems'], (after) => below(client, LINES, 'order', 'lineItems', id, after));
  const fulfillments = await allFulfillments(client, id, list(order['fulfillments']));
  const few = list(order['refunds']);
  const refundIds = (few.length < FEW_REFUNDS ? few : list(bag((await client.call(REFUNDS, { id }))['order'])['refunds'])).flatMap((r) => text(bag(r)['id']) ?? []);
  const returnIds = (await pages(order['returns'], (after) => below(client, RETURNS, 'order', 'returns', id, after))).flatMap((r) => text(r['id']) ?? []);
  const refunds: Bag[] = [];
  for (const refund of refundIds) refunds.push(await wholeOf(client, REFUND, 'refund', 'refundLineItems', refund));
  const returns: Bag[] = [];
  for (const back of returnIds) returns.push(await wholeOf(client, RETURN, 'return', 'returnLineItems', back));
  const fewer = lines.some((l) => (whole(l['currentQuantity']) ?? 0) < (whole(l['quantity']) ?? 0));
  const neverSent = fewer && text(order['displayFulfillmentStatus']) === 'PARTIALLY_FULFILLED' ? await unitsNeverSent(client, id, lines, fulfillments) : null;
  return { order, lines, fulfillments, refunds, returns, neverSent };
}

/** Whether it takes more than the order itself to read it: then it must be looked at twice. */
export const needsMore = (order: Bag): boolean => list(order['refunds']).length > 0 || list(bag(order['returns'])['nodes']).length > 0 || list(order['fulfillments']).length >= FEW_FULFILLMENTS
  || bag(bag(order['lineItems'])['pageInfo'])['hasNextPage'] === true || text(order['displayFulfillmentStatus']) === 'PARTIALLY_FULFILLED';

async function allFulfillments(client: ShopifyClient, id: string, few: readonly unknown[]): Promise<Bag[]> {
  const all = few.length < FEW_FULFILLMENTS ? few : list(bag((await client.call(FULFILLMENTS, { id }))['order'])['fulfillments']);
  return all.map(bag).filter((f) => !GONE.has(text(f['status']) ?? ''));
}

/** Units that these fulfillments have sent. */
async function unitsSent(client: ShopifyClient, fulfillments: readonly Bag[]): Promise<Map<string, number>> {
  const sent = new Map<string, number>();
  for (const f of fulfillments) {
    const read = await wholeOf(client, FULFILLMENT_LINES, 'fulfillment', 'fulfillmentLineItems', text(f['id']) ?? '');
    for (const l of list(bag(read['fulfillmentLineItems'])['nodes']).map(bag)) add(sent, tail(bag(l['lineItem'])['id']), whole(l['quantity']));
  }
  return sent;
}

/** What was ordered, less what has left and what is still to leave. A refund of what has left is none of them. */
async function unitsNeverSent(client: ShopifyClient, id: string, lines: readonly Bag[], fulfillments: readonly Bag[]): Promise<Units> {
  const sent = await unitsSent(client, fulfillments);
  const open = new Map<string, number>();
  for (const f of await fulfillmentOrders(client, id)) for (const l of f.lines) add(open, l.lineId, l.remaining);
  return new Map(lines.map((l) => {
    const lineId = tail(l['id']) ?? '';
    const quantity = whole(l['quantity']) ?? 0;
    const off = quantity - (whole(l['currentQuantity']) ?? quantity);
    return [lineId, Math.max(0, Math.min(off, quantity - (sent.get(lineId) ?? 0) - (open.get(lineId) ?? 0)))];
  }));
}

/** Fulfillment orders from which something may still leave, now (`open`) or once they are let go. `id`: the order's global one. */
export async function fulfillmentOrders(client: ShopifyClient, id: string): Promise<FulfillmentOrder[]> {
  const found: FulfillmentOrder[] = [];
  for (const f of list(bag(bag(await wholeOf(client, FULFILLMENT_ORDERS, 'order', 'fulfillmentOrders', id))['fulfillmentOrders'])['nodes']).map(bag)) {
    const status = text(f['status']) ?? '';
    if (OVER.has(status)) continue;
    const own = text(f['id']) ?? '';
    const lines = await pages(f['lineItems'], (after) => below(client, FULFILLMENT_ORDER_LINES, 'fulfillmentOrder', 'lineItems', own, after));
    found.push({
      id: own, open: OPEN.has(status), location: tail(bag(bag(f['assignedLocation'])['location'])['id']) ?? '',
      lines: lines.map((l) => ({ id: text(l['id']) ?? '', lineId: tail(bag(l['lineItem'])['id']) ?? '', remaining: whole(l['remainingQuantity']) ?? 0 })),
    });
  }
  return found;
}

/** Units that were told under this waybill. `id`: the order's global one. */
export async function unitsUnder(client: ShopifyClient, id: string, waybillNo: string): Promise<Units> {
  const all = list(bag((await client.call(FULFILLMENTS, { id }))['order'])['fulfillments']).map(bag);
  return unitsSent(client, all.filter((f) => !GONE.has(text(f['status']) ?? '') && list(f['trackingInfo']).some((t) => text(bag(t)['number']) === waybillNo)));
}

function add(units: Map<string, number>, lineId: string | null, quantity: number | null): void { if (lineId !== null) units.set(lineId, (units.get(lineId) ?? 0) + (quantity ?? 0)); }
