import type { FastifyInstance } from 'fastify';
import type { Caller } from '../shared/caller.ts';
import { faultsSchema, type FaultInjector, type Faults } from '../shared/faults.ts';
import { fingerprint } from '../shared/fingerprint.ts';
import type { Journal } from '../shared/journal.ts';
import { HttpError } from '../shared/server.ts';
import { partnerRef } from './events.ts';
import type { Location } from './location.ts';
import { publicStatus, type Intake, type OrderFacts } from './order.ts';
import { rulesSchema, type Decisions, type Rule } from './rules.ts';
import { cancelSchema, intakeSchema, remindSchema } from './schema.ts';
import { stockSchema, type Shelves, type StockBook } from './stock.ts';
import type { Known, OrderStore } from './store.ts';

export interface RouteDeps {
  readonly seed: string;
  readonly store: OrderStore;
  readonly stock: StockBook;
  readonly journal: Journal;
  readonly faults: FaultInjector;
  readonly decisions: Decisions;
  readonly location: Location;
  readonly callers: () => Iterable<Caller>;
}

interface ById {
  Params: { id: string };
}

export function addRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { seed, store, stock, journal, faults, decisions } = deps;

  app.post<{ Body: Intake }>('/v1/fulfillment-orders', { schema: { body: intakeSchema } }, (request, reply) => {
    const id = request.body.fulfillmentOrderId;
    return faults.incoming(`intake ${id}`, async () => {
      const isNew = takeIn(request.body);
      await journal.settled();
      reply.status(isNew ? 201 : 200);
      return { partnerRef: partnerRef(seed, id), status: 'received' };
    });
  });

  app.post<ById>('/v1/fulfillment-orders/:id/cancel', { schema: { body: cancelSchema } }, (request) => {
    const { id } = request.params;
    return faults.incoming(`cancel ${id}`, async () => {
      const answer = cancel(known(id));
      await journal.settled();
      return answer;
    });
  });

  app.post<ById>('/v1/fulfillment-orders/:id/remind', { schema: { body: remindSchema } }, (request) => {
    const { id } = request.params;
    return faults.incoming(`remind ${id}`, () => ({ status: publicStatus(known(id).status) }));
  });

  app.get<ById>('/v1/fulfillment-orders/:id', (request) => {
    const { id } = request.params;
    return faults.incoming(`get ${id}`, () => ({
      fulfillmentOrderId: id, partnerRef: partnerRef(seed, id), status: publicStatus(known(id).status),
    }));
  });

  app.get<{ Querystring: { location: string; after?: string; limit?: string } }>('/v1/stock', (request) => {
    const { location, after = '', limit = '1000' } = request.query;
    const most = Math.min(1000, Math.max(1, Math.trunc(Number(limit)) || 1000));
    return faults.incoming(`stock ${location} ${after}`, () => {
      const page = stock.page(location, after, most);
      if (page === undefined) throw new HttpError(404, 'unknown_location', 'this location knows no stock');
      return { location, takenAt: new Date().toISOString(), ...page };
    });
  });

  const control = { signed: false };
  app.put<{ Body: Record<string, Shelves> }>('/_control/stock', { config: control, schema: { body: stockSchema } }, async (request) => {
    stock.put(request.body);
    journal.append({ k: 'stock', stock: request.body });
    await journal.settled();
    return request.body;
  });
  app.put<{ Body: Faults }>('/_control/faults', { config: control, schema: { body: faultsSchema } }, async (request) => {
    faults.replace(request.body);
    journal.append({ k: 'faults', faults: request.body });
    await journal.settled();
    return request.body;
  });
  app.put<{ Body: Rule[] }>('/_control/rules', { config: control, schema: { body: rulesSchema } }, async (request) => {
    decisions.replace(request.body);
    journal.append({ k: 'rules', rules: request.body });
    await journal.settled();
    return request.body;
  });
  app.get('/_control/stats', { config: control }, () => {
    const callbacks = { answered: 0, refused: 0, retries: 0, waiting: 0 };
    for (const caller of deps.callers()) {
      callbacks.answered += caller.stats.answered;
      callbacks.refused += caller.stats.refused;
      callbacks.retries += caller.stats.retries;
      callbacks.waiting += caller.depth;
    }
    return { byStatus: store.counts(), open: store.openCount, callbacks };
  });

  /** True when the order is new. */
  function takeIn(body: Intake): boolean {
    const digest = fingerprint(body);
    const before = store.get(body.fulfillmentOrderId);
    if (before !== undefined) {
      if (before.digest !== digest) throw new HttpError(409, 'other_body', 'this id came before with another body');
      return false;
    }
    deps.location.plan(store.add(factsOf(body, digest), Date.now()));
    return true;
  }

  function known(id: string): Known {
    const found = store.get(id);
    if (found === undefined) throw new HttpError(404, 'unknown_fulfillment_order', 'no such fulfillment order');
    return found;
  }

  function cancel({ status, open }: Known): { outcome: string; reason?: string } {
    if (status === 'packed' || status === 'handed_over') return { outcome: 'refused', reason: status };
    if (open !== undefined && status !== 'rejected') {
      const refusal = decisions.onCancel(open);
      if (refusal !== undefined) return { outcome: 'refused', reason: refusal };
      store.finish(open, 'cancelled');
    }
    // Rejected, cancelled before, all short, or kept in place: nothing will leave, which is what was asked for.
    return { outcome: 'cancelled' };
  }
}

function factsOf(body: Intake, digest: string): OrderFacts {
  return {
    id: body.fulfillmentOrderId,
    digest,
    locationCode: body.locationCode,
    lines: body.lines.map(({ lineNo, sku, quantity }) => ({ lineNo, sku, quantity })),
    ...(body.scheduledFrom !== undefined && { scheduledFrom: Date.parse(body.scheduledFrom) }),
    ...(body.carrier !== undefined && { carrier: body.carrier }),
    ...(body.waybillNo !== undefined && { waybillNo: body.waybillNo }),
  };
}
