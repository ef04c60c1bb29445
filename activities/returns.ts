import { Context } from '@temporalio/activity';
import { abandonWaybill, waybillGivenUp } from '../db/carriers/waybills.ts';
import { closeReturn } from '../db/returns/close-return.ts';
import { authoriseReturn, labelNotGot } from '../db/returns/returns.ts';
import { openReturns, returnContext, type ReturnContext } from '../db/returns/return-context.ts';
import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { OrderFacts } from '../domain/order/flow.ts';
import { returnLocation } from '../domain/returns/return-location.ts';
import { issueWaybill } from './carriers/issue.ts';
import { CarrierSessions } from './carriers/session.ts';
import { factsOf, uuidOf, type ActivityDeps } from './deps.ts';

const ATTEMPTS = 6;

/** The return routine: authorise (place and label), then after inspection restock, refund or exchange. */
export function createReturns(deps: ActivityDeps) {
  const sessions = new CarrierSessions(deps);

  async function authorise(context: ReturnContext): Promise<void> {
    const ranked = deps.network.ranked(deps.network.place(context.country, context.province, context.city));
    const places = [...deps.network.locationById.values()].map((l) => ({
      id: l.id, kind: l.kind, active: l.active, shipped: context.shippedFrom.includes(l.id), rank: ranked.indexOf(l.id) < 0 ? ranked.length : ranked.indexOf(l.id),
    }));
    const locationId = context.locationId ?? returnLocation(places);
    if (locationId === null) throw new Error('no active location can take a return');
    const label = context.method === 'drop_off' ? null : await labelFor(context, locationId);
    await authoriseReturn(deps.writer, context.rma, { locationId, carrier: label?.carrier ?? null, waybillNo: label?.waybillNo ?? null }, 'system');
  }

  /**
   * A label from the first carrier that gives one: who refuses, or does not answer in all tries, makes room for the next, and what it may have given is taken back. None of them: the buyer brings or posts it, the
   * return goes on.
   */
  async function labelFor(context: ReturnContext, locationId: number): Promise<{ carrier: string; waybillNo: string } | null> {
    const contact = await deps.vault.readContact(deps.writer.pool, context.contactId);
    const to = deps.network.locationById.get(locationId);
    if (!contact || !to) return null;
    const { shipTo: { sealed, name, phone, street } } = contact;
    for (const carrier of [...deps.network.carriers.values()].filter((c) => c.active).sort((x, y) => (x.code < y.code ? -1 : 1))) {
      const session = await sessions.issuer(carrier.code, null);
      const key = session && { account: session.account.code, requestId: context.rma, carrier: carrier.code };
      if (!key || await waybillGivenUp(deps.writer.pool, key)) continue;
      try {
        const waybillNo = await issueWaybill(deps, session, {
          requestId: context.rma, service: `return-${context.method}`, carrier: carrier.code, from: { city: context.city, province: context.province, ...(sealed ? {} : { name, phone, street, country: context.country }) },
          weightG: Math.max(1, context.weightG), to: { name: to.name, phone: '', country: to.place.country, province: to.place.province, city: to.place.city, street: to.name },
        }, { orderId: context.orderId, fulfillment: false });
        return { carrier: carrier.code, waybillNo };
      } catch (error) {
        if (!(error instanceof PartnerRefused) && !(error instanceof PartnerUnavailable && Context.current().info.attempt >= ATTEMPTS)) {
          await labelNotGot(deps.writer, context.rma);
          throw error;
        }
        await abandonWaybill(deps.writer.pool, key, deps.writer.clock());
      }
    }
    return null;
  }

  async function step(rma: string, status: string): Promise<void> {
    if (status === 'requested') {
      const context = await returnContext(deps.writer.pool, rma);
      if (context) await authorise(context);
    } else if (status === 'inspected') await closeReturn(deps.writer, rma, (id) => deps.network.channelById.get(id)?.backorderWindowS ?? 604_800);
  }

  return {
    async return({ orderId }: { orderId: string }): Promise<OrderFacts> {
      const id = uuidOf('ord', orderId);
      for (const open of await openReturns(deps.writer.pool, id)) await step(open.rma, open.status);
      return factsOf(deps, id);
    },
    async handleReturn({ rma }: { rma: string }): Promise<{ status: string; done: boolean }> {
      const before = await returnContext(deps.writer.pool, rma);
      if (before) await step(rma, before.status);
      const after = await returnContext(deps.writer.pool, rma);
      const status = after?.status ?? 'cancelled';
      return { status, done: ['closed', 'refused', 'cancelled'].includes(status) };
    },
  };
}
