import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { cancelOrder } from '../../db/orders/cancel-order.ts';
import { holdOrder, releaseOrder } from '../../db/orders/hold-order.ts';
import { forceCarrier, forceLocation, reverseApproval, setPriority, setSellerRemark } from '../../db/orders/operate/attributes.ts';
import { addGift, replaceSku } from '../../db/orders/operate/lines.ts';
import { joinRemarks } from '../../db/orders/operate/join-remarks.ts';
import { mergeOrders } from '../../db/orders/operate/merge-orders.ts';
import { resendOrder } from '../../db/orders/operate/resend-order.ts';
import { splitOrder } from '../../db/orders/operate/split-order.ts';
import type { Store } from '../../db/store.ts';
import type { Tx } from '../../db/tx.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { toProblem } from '../plugins/problems.ts';
import { Code, OneOf, problemResponses, Quantity, Reason, Text } from '../schemas/common.ts';

const ACTIONS = ['release', 'hold', 'cancel', 'reverse_approval', 'force_location', 'force_carrier', 'replace_sku', 'add_gift', 'split', 'merge', 'resend', 'remark', 'priority'] as const;
type Action = (typeof ACTIONS)[number];

const Params = Type.Object({
  location: Type.Optional(Code), carrier: Type.Optional(Code), sku: Type.Optional(Code), line: Type.Optional(Type.Integer({ minimum: 1 })), quantity: Type.Optional(Quantity),
  lines: Type.Optional(Type.Array(Type.Object({ line: Type.Integer({ minimum: 1 }), quantity: Quantity }, { additionalProperties: false }), { minItems: 1, maxItems: 500 })),
  remark: Type.Optional(Text(1000)), priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
}, { additionalProperties: false });
type Params = { location?: string; carrier?: string; sku?: string; line?: number; quantity?: number; lines?: { line: number; quantity: number }[]; remark?: string; priority?: number };

/** The parameter an action needs; its absence is the client's error, named. */
function need<K extends keyof Params>(params: Params, name: K, action: Action): NonNullable<Params[K]> {
  const value = params[name];
  if (value === undefined) throw new Problem('invalid', `${action} needs params.${name}`, `/params/${name}`);
  return value;
}

async function act(store: Store, action: Exclude<Action, 'merge'>, orderId: string, reason: string, params: Params, actor: string): Promise<string | null> {
  const { writer, network, vault } = store;
  const change = async (run: (tx: Tx) => Promise<unknown>): Promise<null> => {
    await writer.change(run);
    return null;
  };
  const derived = async (run: (tx: Tx) => Promise<string>): Promise<string> => encodeId('ord', await writer.change(run));
  switch (action) {
    case 'release': return releaseOrder(writer, orderId, reason, actor);
    case 'hold': return holdOrder(writer, orderId, reason, actor);
    case 'cancel': return cancelOrder(writer, orderId, reason, actor);
    case 'reverse_approval': return change((tx) => reverseApproval(tx, orderId, reason, actor));
    case 'force_location': return change((tx) => forceLocation(tx, network, orderId, need(params, 'location', action), reason, actor));
    case 'force_carrier': return change((tx) => forceCarrier(tx, network, orderId, need(params, 'carrier', action), reason, actor));
    case 'replace_sku': return change((tx) => replaceSku(tx, network, orderId, need(params, 'line', action), need(params, 'sku', action), reason, actor));
    case 'add_gift': return change((tx) => addGift(tx, network, orderId, need(params, 'sku', action), params.quantity ?? 1, reason, actor));
    case 'remark': return change((tx) => setSellerRemark(tx, vault, orderId, need(params, 'remark', action), reason, actor));
    case 'priority': return change((tx) => setPriority(tx, orderId, need(params, 'priority', action), reason, actor));
    case 'split': return derived((tx) => splitOrder(tx, orderId, need(params, 'lines', action), reason, actor));
    case 'resend': return derived((tx) => resendOrder(tx, network, orderId, need(params, 'lines', action), reason, actor));
  }
}

const Result = Type.Object({ orderId: Type.String(), ok: Type.Boolean(), detail: Type.Optional(Type.String()), code: Type.Optional(Type.String()), field: Type.Optional(Type.String()) });

export const actionRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  app.post('/v1/orders/actions', {
    config: { scope: 'orders:operate' },
    schema: {
      summary: 'Operate on one order or many', tags: ['orders'],
      description: 'Each order is changed in a transaction of its own and checked again; the answer says for each whether it went, and one that fails keeps none of the others. `merge` takes all of them together. `split` and `resend` answer the new order in `detail`. '
        + 'Parameters: force_location {location}, force_carrier {carrier}, replace_sku {line, sku}, add_gift {sku, quantity}, split and resend {lines}, remark {remark}, priority {priority}.',
      body: Type.Object({ action: OneOf(ACTIONS), orderIds: Type.Array(Text(64), { minItems: 1, maxItems: 500, uniqueItems: true }), reason: Reason, params: Type.Optional(Params) }, { additionalProperties: false }),
      response: { 200: Type.Object({ results: Type.Array(Result) }), ...problemResponses },
    },
  }, async (request) => {
    const { action, orderIds, reason, params = {} } = request.body as { action: Action; orderIds: string[]; reason: string; params?: Params };
    if (request.apiKey.locationId !== null) throw new Problem('forbidden', 'a key of one location cannot operate on orders');
    const actor = `operator:${actorOf(request.apiKey)}`;
    const ids = orderIds.map((id) => decodeId('ord', id));
    const one = async (orderId: string, run: () => Promise<string | null>): Promise<Record<string, unknown>> => {
      try {
        const detail = await run();
        return { orderId, ok: true, ...(detail === null ? {} : { detail }) };
      } catch (error) {
        const problem = toProblem(error as Error);
        if (problem.status >= 500) request.log.error({ err: error }, problem.message);
        return { orderId, ok: false, code: problem.code, detail: problem.message, ...(problem.field === null ? {} : { field: problem.field }) };
      }
    };
    if (action === 'merge') {
      const unknown = orderIds.find((_, i) => ids[i] === null);
      if (unknown !== undefined) throw new Problem('not_found', `order "${unknown}" does not exist`, '/orderIds');
      const into = encodeId('ord', await store.writer.change(async (tx) => {
        const stays = await mergeOrders(tx, store.network, ids as string[], reason, actor);
        await joinRemarks(tx, store.vault, stays, ids as string[]);
        return stays;
      }));
      return { results: orderIds.map((orderId) => ({ orderId, ok: true, detail: into })) };
    }
    const results: Record<string, unknown>[] = [];
    for (const [i, orderId] of orderIds.entries()) {
      const id = ids[i];
      results.push(id ? await one(orderId, () => act(store, action, id, reason, params, actor)) : { orderId, ok: false, code: 'not_found', detail: `order "${orderId}" does not exist` });
    }
    return { results: results as { orderId: string; ok: boolean }[] };
  });
  return Promise.resolve();
};
