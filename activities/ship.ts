import { Context } from '@temporalio/activity';
import { abandonWaybill } from '../db/carriers/waybills.ts';
import { beginRelease, finishRelease, postponeRelease, refuseRelease, type Release } from '../db/fulfillment/release.ts';
import { nextCarrier, type ParcelLoad } from '../db/fulfillment/next-carrier.ts';
import { refusedByCarriers, waitForCarrier } from '../db/fulfillment/no-waybill.ts';
import { recordRecall, recallTarget } from '../db/fulfillment/recall.ts';
import { recordReminder, reminderTarget } from '../db/fulfillment/reminder.ts';
import { refusal } from '../db/routing/carrier-facts.ts';
import { interceptTarget, recordIntercept } from '../db/orders/refund-request.ts';
import { PartnerRefused, PartnerUnavailable } from '../domain/http-port.ts';
import type { OrderFacts } from '../domain/order/flow.ts';
import { encodeId } from '../domain/ids.ts';
import { createLocationPartner, type ReleaseMessage } from '../partners/location-partner.ts';
import { issueWaybill } from './carriers/issue.ts';
import { CarrierSessions } from './carriers/session.ts';
import { factsOf, uuidOf, type ActivityDeps } from './deps.ts';

/** Attempts (0.5, 1, 2, 4, 8 s apart) before a partner that does not answer is left alone for a while. */
const ATTEMPTS = 6;

/** Our own rules say that the carrier does not serve the address: it was not asked. */
class NotServed extends PartnerRefused {}

/** No carrier is left to be asked for a number. `outage`: of one of them nothing is known, because it did not answer or refused our account; `last`: what the last one said. */
class NoWaybill extends Error {
  readonly outage: boolean;
  readonly last: PartnerRefused | PartnerUnavailable;
  constructor(last: PartnerRefused | PartnerUnavailable, outage: boolean) {
    super(last.message);
    this.last = last;
    this.outage = outage;
  }
}
/** Says nothing of the parcel: an outage, or an account that is to be put right. */
const inconclusive = (error: unknown): boolean => error instanceof PartnerUnavailable || (error instanceof PartnerRefused && error.account);

/** True when this was the last attempt that an unreachable partner gets. */
function givesUp(error: unknown): boolean {
  return error instanceof PartnerUnavailable && Context.current().info.attempt >= ATTEMPTS;
}

/** The calls to locations and carriers, each under one key, so that a repetition is one effect. */
export function createShipping(deps: ActivityDeps) {
  const secretOf = (sealed: Buffer | null): string | null => (sealed === null ? null : deps.vault.openSecret(sealed));
  const sessions = new CarrierSessions(deps);
  const issuerOf = (release: Release) => (release.carrier === null ? null : sessions.issuer(release.carrier.code, release.channel));

  /** The waybill first, then the location: label and goods travel together (ADR 0004). */
  async function waybillFor(release: Release): Promise<string | null> {
    if (release.waybillNo !== null) return release.waybillNo;
    // What needs the postcode is known only here: the carrier is not asked for what it will not take.
    const refused = release.carrier && refusal(deps.network.refusals, release.carrier.code, release.service, release.shipTo);
    if (refused) throw new NotServed(422, `${release.carrier?.code ?? ''} does not serve the address: ${refused}`);
    const session = await issuerOf(release);
    if (!session || !release.carrier) return null;
    const { weightG, volumeMm3 } = loadOf(release);
    const { place, name } = release.location;
    return issueWaybill(deps, session, {
      requestId: release.fulfillmentOrderId, service: release.service, carrier: release.carrier.code, order: release.externalId, from: { city: place.city, province: place.province, country: place.country, name },
      to: release.shipTo, weightG: Math.max(1, weightG), ...(volumeMm3 > 0 ? { volumeMm3 } : {}),
      ...(release.cashOnDelivery ? { cashOnDelivery: release.cashOnDelivery } : {}),
    }, { orderId: release.orderId, fulfillment: true });
  }

  /** With its waybill: a carrier that refuses, or does not answer in all attempts, makes room for the next cheapest one. */
  async function withWaybill(first: Release): Promise<Release> {
    let outage = false;
    for (let release = first; ;) {
      try {
        return { ...release, waybillNo: await waybillFor(release) };
      } catch (error) {
        if (!(error instanceof PartnerRefused) && !(error instanceof PartnerUnavailable && givesUp(error))) throw error;
        outage ||= inconclusive(error);
        const ref = { orderId: uuidOf('ord', release.orderId), fulfillmentOrderId: uuidOf('ful', release.fulfillmentOrderId) };
        const next = await nextCarrier(deps.writer, deps.network, ref, loadOf(release), { reason: error.message, asked: !(error instanceof NotServed) });
        if (!next) throw new NoWaybill(error, outage);
        // A number may have come to be though nobody told us.
        const asked = await issuerOf(release);
        if (asked && release.carrier) await abandonWaybill(deps.writer.pool, { account: asked.account.code, requestId: release.fulfillmentOrderId, carrier: release.carrier.code }, deps.writer.clock());
        release = { ...release, ...next };
      }
    }
  }

  /** What becomes of a fulfillment order without a number: the location knows nothing of it yet, and is not to blame. */
  const withoutWaybill = (ref: { orderId: string; fulfillmentOrderId: string }, { outage, last }: NoWaybill, postcode: string | undefined): Promise<void> => (outage
    ? waitForCarrier(deps.writer, ref, last.message, !inconclusive(last)) : refusedByCarriers(deps.writer, deps.network, ref, postcode, last.message));

  return {
    async ship(ref: { orderId: string; fulfillmentOrderId: string }): Promise<OrderFacts> {
      const orderId = uuidOf('ord', ref.orderId);
      const id = uuidOf('ful', ref.fulfillmentOrderId);
      let postcode: string | undefined;
      try {
        const begun = await beginRelease(deps.writer, deps.network, deps.vault, orderId, id);
        postcode = begun?.shipTo.postcode;
        if (begun) {
          const release = await withWaybill(begun);
          const { partnerUrl, partnerSecret } = release.location;
          // A location without a connector works through the API: it finds the order in its list.
          const partnerRef = partnerUrl === null ? null
            : (await createLocationPartner(deps.http, partnerUrl, secretOf(partnerSecret)).release(message(release))).partnerRef;
          await finishRelease(deps.writer, orderId, id, partnerRef);
        }
      } catch (error) {
        if (error instanceof NoWaybill) await withoutWaybill({ orderId, fulfillmentOrderId: id }, error, postcode);
        else if (error instanceof PartnerRefused) await refuseRelease(deps.writer, orderId, id, error.message);
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
          const { location, reason } = target;
          const answer = location.partnerUrl === null ? { outcome: target.manual, reason: null }
            : await createLocationPartner(deps.http, location.partnerUrl, secretOf(location.partnerSecret)).cancel(ref.fulfillmentOrderId, reason);
          await recordRecall(deps.writer, id, answer.outcome, answer.reason);
        } catch (error) {
          if (error instanceof PartnerRefused || givesUp(error)) await recordRecall(deps.writer, id, 'unreachable', (error as Error).message);
          else throw error;
        }
      }
      return factsOf(deps, uuidOf('ord', ref.orderId));
    },

    async remind(ref: { orderId: string; fulfillmentOrderId: string }): Promise<OrderFacts> {
      const [orderId, id] = [uuidOf('ord', ref.orderId), uuidOf('ful', ref.fulfillmentOrderId)];
      const target = await reminderTarget(deps.writer.pool, deps.network, id);
      if (target && target.location.partnerUrl !== null) {
        const { location, rerouteAt } = target;
        try {
          const told = await createLocationPartner(deps.http, target.location.partnerUrl, secretOf(location.partnerSecret)).remind(ref.fulfillmentOrderId, rerouteAt.toISOString());
          await recordReminder(deps.writer, orderId, id, told ? 'told' : 'unsupported');
        } catch (error) {
          // It stays reminded on the timeline; the order goes elsewhere at its time.
          if (error instanceof PartnerRefused) await recordReminder(deps.writer, orderId, id, 'unsupported');
          else if (givesUp(error)) await recordReminder(deps.writer, orderId, id, 'unreachable');
          else throw error;
        }
      } else if (target) await recordReminder(deps.writer, orderId, id, 'unsupported');
      return factsOf(deps, orderId);
    },

    async intercept(ref: { orderId: string; parcelId: string }): Promise<OrderFacts> {
      const id = uuidOf('par', ref.parcelId);
      const target = await interceptTarget(deps.writer.pool, id);
      if (target) {
        try {
          const connector = (await sessions.of(target.carrier))?.connector;
          const answer = connector?.intercept ? await connector.intercept(target.waybillNo, encodeId('par', id), 'refund requested') : { outcome: 'refused' as const, reason: 'this carrier cannot intercept' };
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

function loadOf({ lines, shipTo }: Release): ParcelLoad {
  const sum = (of: (line: Release['lines'][number]) => number): number => lines.reduce((n, l) => n + of(l) * l.quantity, 0);
  return { weightG: sum((l) => l.weightG), volumeMm3: sum((l) => l.volumeMm3), hazardous: lines.some((l) => l.hazardous), postcode: shipTo.postcode };
}

function message(r: Release): ReleaseMessage {
  const { waybillNo } = r;
  return {
    fulfillmentOrderId: r.fulfillmentOrderId, orderId: r.orderId, locationCode: r.location.code, priority: r.priority, shipBy: r.shipBy, shipTo: r.shipTo,
    lines: r.lines.map((l) => ({ lineNo: l.lineNo, sku: l.sku, quantity: l.quantity, ...(l.gift ? { gift: true } : {}) })),
    ...(r.scheduledFrom ? { scheduledFrom: r.scheduledFrom } : {}), ...(r.carrier && waybillNo ? { carrier: r.carrier.code, waybillNo } : {}),
    ...(r.cashOnDelivery ? { cashOnDelivery: r.cashOnDelivery } : {}), ...(r.pickup ? { pickup: r.pickup } : {}), ...(r.onBehalfOf ? { onBehalfOf: r.onBehalfOf } : {}), ...(r.buyerRemark ? { buyerRemark: r.buyerRemark } : {}), ...(r.sellerRemark ? { sellerRemark: r.sellerRemark } : {}),
  };
}
