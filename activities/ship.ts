import { Context } from '@temporalio/activity';
import { carrierConnector } from '../carriers/registry.ts';
import { beginRelease, finishRelease, postponeRelease, recordWaybill, refuseRelease, type Release } from '../db/fulfillment/release.ts';
import { nextCarrier } from '../db/fulfillment/next-carrier.ts';
import { recordRecall, recallTarget } from '../db/fulfillment/recall.ts';
import { interceptTarget, recordIntercept } from '../db/orders/refund-request.ts';
import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { OrderFacts } from '../domain/order/flow.ts';
import { encodeId } from '../domain/ids.ts';
import { createLocationPartner, type ReleaseMessage } from '../partners/location-partner.ts';
import { factsOf, uuidOf, type ActivityDeps } from './deps.ts';

/** Attempts (0.5, 1, 2, 4, 8 s apart) before a partner that does not answer is left alone for a while. */
const ATTEMPTS = 6;

/** True when this was the last attempt that an unreachable partner gets. */
function givesUp(error: unknown): boolean {
  return error instanceof PartnerUnavailable && Context.current().info.attempt >= ATTEMPTS;
}

/** The calls to locations and carriers, each under one key, so that a repetition is one effect. */
export function createShipping(deps: ActivityDeps) {
  const secretOf = (sealed: Buffer | null): string | null => (sealed === null ? null : deps.vault.openSecret(sealed));
  const carrierOf = (carrier: Release['carrier']) => (carrier === null ? null : carrierConnector(deps.http, carrier, secretOf(carrier.secret)));

  /** The waybill first, then the location: label and goods travel together (ADR 0004). */
  async function issueWaybill(release: Release): Promise<string | null> {
    const connector = carrierOf(release.carrier);
    if (!connector || release.waybillNo !== null) return release.waybillNo;
    const { waybillNo } = await connector.createWaybill({
      requestId: release.fulfillmentOrderId, service: 'standard', from: { city: release.location.place.city, province: release.location.place.province },
      to: release.shipTo, weightG: Math.max(1, weightOf(release)),
      ...(release.cashOnDelivery ? { cashOnDelivery: release.cashOnDelivery } : {}),
    });
    return recordWaybill(deps.writer, uuidOf('ful', release.fulfillmentOrderId), waybillNo);
  }

  /** With its waybill: a carrier that refuses, or does not answer in all attempts, makes room for the next cheapest one. */
  async function withWaybill(first: Release): Promise<Release> {
    for (let release = first; ;) {
      try {
        return { ...release, waybillNo: await issueWaybill(release) };
      } catch (error) {
        if (!(error instanceof PartnerRefused) && !givesUp(error)) throw error;
        const ref = { orderId: uuidOf('ord', release.orderId), fulfillmentOrderId: uuidOf('ful', release.fulfillmentOrderId) };
        const carrier = await nextCarrier(deps.writer, deps.network, ref, weightOf(release), (error as Error).message);
        if (!carrier) throw error;
        release = { ...release, carrier };
      }
    }
  }

  return {
    async ship(ref: { orderId: string; fulfillmentOrderId: string }): Promise<OrderFacts> {
      const orderId = uuidOf('ord', ref.orderId);
      const id = uuidOf('ful', ref.fulfillmentOrderId);
      try {
        const begun = await beginRelease(deps.writer, deps.network, deps.vault, orderId, id);
        if (begun) {
          const release = await withWaybill(begun);
          const { partnerUrl, partnerSecret } = release.location;
          // A location without a connector works through the API: it finds the order in its list.
          const partnerRef = partnerUrl === null ? null
            : (await createLocationPartner(deps.http, partnerUrl, secretOf(partnerSecret)).release(message(release))).partnerRef;
          await finishRelease(deps.writer, orderId, id, partnerRef);
        }
      } catch (error) {
        if (error instanceof PartnerRefused) await refuseRelease(deps.writer, orderId, id, error.message);
        else if (givesUp(error)) await postponeRelease(deps.writer, orderId, id, (error as Error).message);
        else throw error;
      }
      return factsOf(deps, orderId);
    },

    async recall(ref: { orderId: string; fulfillmentOrderId: string }): Promise<OrderFacts> {
      const id = uuidOf('ful', ref.fulfillmentOrderId);
      const target = await recallTarget(deps.writer.pool, deps.network, id);
      if (target) {
        try {
          const { location, carrier, waybillNo, reason } = target;
          const answer = location.partnerUrl === null ? { outcome: target.manual, reason: null }
            : await createLocationPartner(deps.http, location.partnerUrl, secretOf(location.partnerSecret)).cancel(ref.fulfillmentOrderId, reason);
          if (answer.outcome === 'cancelled' && waybillNo !== null) await carrierOf(carrier)?.cancelWaybill(waybillNo, reason);
          await recordRecall(deps.writer, id, answer.outcome, answer.reason);
        } catch (error) {
          if (error instanceof PartnerRefused || givesUp(error)) await recordRecall(deps.writer, id, 'unreachable', (error as Error).message);
          else throw error;
        }
      }
      return factsOf(deps, uuidOf('ord', ref.orderId));
    },

    async intercept(ref: { orderId: string; parcelId: string }): Promise<OrderFacts> {
      const id = uuidOf('par', ref.parcelId);
      const target = await interceptTarget(deps.writer.pool, id);
      if (target) {
        try {
          const connector = carrierOf(deps.network.carriers.get(target.carrier) ?? null);
          const answer = connector ? await connector.intercept(target.waybillNo, encodeId('par', id), 'refund requested') : { outcome: 'refused' as const, reason: 'this carrier cannot intercept' };
          await recordIntercept(deps.writer, id, answer.outcome, answer.reason);
        } catch (error) {
          if (error instanceof PartnerRefused || givesUp(error)) await recordIntercept(deps.writer, id, 'unreachable', (error as Error).message);
          else throw error;
        }
      }
      return factsOf(deps, uuidOf('ord', ref.orderId));
    },
  };
}

function weightOf(release: Release): number { return release.lines.reduce((sum, l) => sum + l.weightG * l.quantity, 0); }

function message(r: Release): ReleaseMessage {
  const { waybillNo } = r;
  return {
    fulfillmentOrderId: r.fulfillmentOrderId, orderId: r.orderId, locationCode: r.location.code, priority: r.priority, shipBy: r.shipBy, shipTo: r.shipTo,
    lines: r.lines.map((l) => ({ lineNo: l.lineNo, sku: l.sku, quantity: l.quantity, ...(l.gift ? { gift: true } : {}) })),
    ...(r.scheduledFrom ? { scheduledFrom: r.scheduledFrom } : {}), ...(r.carrier && waybillNo ? { carrier: r.carrier.code, waybillNo } : {}),
    ...(r.cashOnDelivery ? { cashOnDelivery: r.cashOnDelivery } : {}), ...(r.buyerRemark ? { buyerRemark: r.buyerRemark } : {}), ...(r.sellerRemark ? { sellerRemark: r.sellerRemark } : {}),
  };
}
