import type { FastifyInstance } from 'fastify';
import type { Caller } from '../shared/caller.ts';
import { faultsSchema, type FaultInjector, type Faults } from '../shared/faults.ts';
import type { Journal } from '../shared/journal.ts';
import { HttpError } from '../shared/server.ts';
import type { Depot } from './depot.ts';
import type { Pusher } from './pusher.ts';
import { cancelSchema, interceptSchema, pickupSchema, waybillSchema } from './schema.ts';
import type { WaybillStore } from './store.ts';
import { eventAt, eventCount, type Waybill, type WaybillRequest } from './waybill.ts';

export interface RouteDeps {
  readonly carrierCode: string;
  readonly currency: string;
  readonly store: WaybillStore;
  readonly depot: Depot;
  readonly pusher: Pusher;
  readonly journal: Journal;
  readonly faults: FaultInjector;
  readonly tributary: Caller;
}

interface ByNo {
  Params: { no: string };
}

export function addRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, depot, journal, faults, tributary, pusher } = deps;
  const unsigned = { signed: false };

  app.post<{ Body: WaybillRequest }>('/v1/waybills', { schema: { body: waybillSchema } }, (request, reply) =>
    faults.incoming(`waybill ${request.body.requestId}`, async () => {
      const { waybill, isNew } = depot.issue(request.body);
      await journal.settled();
      reply.status(isNew ? 201 : 200);
      return { waybillNo: waybill.no, carrier: deps.carrierCode, price: waybill.price, currency: deps.currency };
    }),
  );

  app.post<ByNo>('/v1/waybills/:no/cancel', { schema: { body: cancelSchema } }, (request) =>
    committed(`cancel ${request.params.no}`, () => depot.cancel(known(request.params.no))),
  );

  app.post<ByNo & { Body: { requestId: string } }>(
    '/v1/waybills/:no/intercept', { schema: { body: interceptSchema } },
    (request) => {
      const { no } = request.params;
      const { requestId } = request.body;
      return committed(`intercept ${no} ${requestId}`, () => depot.intercept(known(no), requestId));
    },
  );

  app.get<ByNo>('/v1/waybills/:no/events', (request) =>
    faults.incoming(`events ${request.params.no}`, () => {
      const waybill = known(request.params.no);
      return { events: Array.from({ length: eventCount(waybill) }, (_, index) => eventAt(waybill, index)) };
    }),
  );

  app.post<ByNo>('/v1/waybills/:no/pickup', { config: unsigned, schema: { body: pickupSchema } }, (request) =>
    committed(`pickup ${request.params.no}`, () => {
      const waybill = known(request.params.no);
      depot.pickUp(waybill);
      return { waybillNo: waybill.no, status: waybill.status };
    }),
  );

  app.put<{ Body: Faults }>('/_control/faults', { config: unsigned, schema: { body: faultsSchema } }, async (request) => {
    faults.replace(request.body);
    journal.append({ k: 'faults', faults: request.body });
    await journal.settled();
    return request.body;
  });
  app.get('/_control/stats', { config: unsigned }, () => ({
    byStatus: store.counts(),
    callbacks: { ...tributary.stats, waiting: tributary.depth, events: pusher.waiting },
  }));

  /** Does the work and answers once it is written down. */
  function committed<T>(key: string, work: () => T): Promise<T> {
    return faults.incoming(key, async () => {
      const answer = work();
      await journal.settled();
      return answer;
    });
  }

  function known(no: string): Waybill {
    const waybill = store.get(no);
    if (waybill === undefined) throw new HttpError(404, 'unknown_waybill', 'no such waybill');
    return waybill;
  }
}
