import { PartnerRefused, textField, type Http } from '../../domain/http-port.ts';
import { MILESTONES } from '../../domain/order/milestone.ts';
import type { CarrierConnector, CarrierEvent } from '../carrier.ts';

/** A carrier that speaks `docs/partner-protocol.md`. */
export function createGenericCarrier(http: Http, baseUrl: string, secret: string | null): CarrierConnector {
  const call = (path: string, body: unknown, messageId: string) => http({ method: 'POST', url: `${baseUrl.replace(/\/$/, '')}/v1/waybills${path}`, body, secret, messageId });
  return {
    async createWaybill(request) {
      const { status, body } = await call('', request, `waybill-${request.requestId}`);
      const waybillNo = textField(body, 'waybillNo');
      if ((status === 200 || status === 201) && waybillNo !== null) return { waybillNo };
      throw new PartnerRefused(status, `the carrier refused the parcel (${status})`);
    },
    async cancelWaybill(waybillNo, reason) {
      const { status, body } = await call(`/${encodeURIComponent(waybillNo)}/cancel`, { reason }, `cancel-${waybillNo}`);
      if (status === 404) return 'cancelled';
      const outcome = textField(body, 'outcome');
      if (status === 200 && (outcome === 'cancelled' || outcome === 'refused')) return outcome;
      throw new PartnerRefused(status, `the carrier did not cancel the waybill (${status})`);
    },
    async events(waybillNo) {
      const { status, body } = await http({ method: 'GET', url: `${baseUrl.replace(/\/$/, '')}/v1/waybills/${encodeURIComponent(waybillNo)}/events`, secret, messageId: `events-${waybillNo}` });
      if (status === 404) return [];
      if (status !== 200) throw new PartnerRefused(status, `the carrier did not give the history (${status})`);
      const list = (body as { events?: unknown } | null)?.events;
      return (Array.isArray(list) ? list : []).flatMap((e): CarrierEvent[] => {
        const [eventId, status_, occurredAt] = [textField(e, 'eventId'), textField(e, 'status'), textField(e, 'occurredAt')];
        const milestone = MILESTONES.find((m) => m === status_);
        const [description, city] = [textField(e, 'description'), textField(e, 'city')];
        if (eventId === null || milestone === undefined || occurredAt === null || Number.isNaN(Date.parse(occurredAt))) return [];
        return [{ eventId, waybillNo, status: milestone, occurredAt, ...(description === null ? {} : { description }), ...(city === null ? {} : { city }) }];
      });
    },
    async intercept(waybillNo, requestId, reason) {
      const { status, body } = await call(`/${encodeURIComponent(waybillNo)}/intercept`, { requestId, reason }, `intercept-${requestId}`);
      const outcome = textField(body, 'outcome');
      if ((status === 200 || status === 202) && (outcome === 'accepted' || outcome === 'refused')) return { outcome, reason: textField(body, 'reason') };
      throw new PartnerRefused(status, `the carrier did not answer the interception (${status})`);
    },
  };
}
