import { Context } from '@temporalio/activity';
import { carrierConnector } from '../carriers/registry.ts';
import { closeReturn } from '../db/returns/close-return.ts';
import { authoriseReturn } from '../db/returns/returns.ts';
import { openReturns, returnContext, type ReturnContext } from '../db/returns/return-context.ts';
import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { OrderFacts } from '../domain/order/flow.ts';
import { returnLocation } from '../domain/returns/return-location.ts';
import { factsOf, uuidOf, type ActivityDeps } from './deps.ts';

const ATTEMPTS = 6;

/** The return routine: authorise (place and label), then after inspection restock, refund or exchange. */
export function createReturns(deps: ActivityDeps) {
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

  /** A label from the first carrier that gives one; none after all tries: the buyer brings or posts it, the return goes on. */
  async function labelFor(context: ReturnContext, locationId: number): Promise<{ carrier: string; waybillNo: string } | null> {
    const contact = await deps.vault.readContact(deps.writer.pool, context.contactId);
    const to = deps.network.locationById.get(locationId);
    const carrier = [...deps.network.carriers.values()].filter((c) => c.active && c.baseUrl !== null).sort((a, b) => (a.code < b.code ? -1 : 1))[0];
    const connector = carrier && carrierConnector(deps.http, carrier, carrier.secret === null ? null : deps.vault.openSecret(carrier.secret));
    if (!contact || !to || !connector) return null;
    try {
      const { waybillNo } = await connector.createWaybill({
        requestId: context.rma, service: `return-${context.method}`, from: { city: context.city, province: context.province }, weightG: Math.max(1, context.weightG),
        to: { name: to.name, phone: '', country: to.place.country, province: to.place.province, city: to.place.city, street: to.name },
      });
      return { carrier: carrier.code, waybillNo };
    } catch (error) {
      if (error instanceof PartnerRefused || (error instanceof PartnerUnavailable && Context.current().info.attempt >= ATTEMPTS)) return null;
      throw error;
    }
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
