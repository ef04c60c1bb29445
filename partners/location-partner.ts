import { PartnerRefused, textField, type Http } from '../domain/http-port.ts';

/** A location (WMS, shop, dealer, 3PL) as `docs/partner-protocol.md` has it. */
export type LocationPartner = {
  /** Hands a fulfillment order over; the same id twice is taken once. Throws PartnerRefused when it will never take it. */
  release(order: ReleaseMessage): Promise<{ partnerRef: string }>;
  /** Asks for it back. An id the location never got counts as cancelled. */
  cancel(fulfillmentOrderId: string, reason: string): Promise<{ outcome: 'cancelled' | 'refused'; reason: string | null }>;
};

export type ReleaseMessage = {
  fulfillmentOrderId: string; orderId: string; locationCode: string; priority: number; shipBy: string; scheduledFrom?: string; carrier?: string; waybillNo?: string;
  cashOnDelivery?: { amount: number; currency: string };
  shipTo: { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string };
  lines: { lineNo: number; sku: string; quantity: number; gift?: boolean }[]; buyerRemark?: string; sellerRemark?: string;
};

export function createLocationPartner(http: Http, baseUrl: string, secret: string | null): LocationPartner {
  const url = (path: string): string => `${baseUrl.replace(/\/$/, '')}/v1/fulfillment-orders${path}`;
  return {
    async release(order) {
      const { status, body } = await http({ method: 'POST', url: url(''), body: order, secret, messageId: `release-${order.fulfillmentOrderId}` });
      const ref = textField(body, 'partnerRef');
      if ((status === 200 || status === 201) && ref !== null) return { partnerRef: ref };
      throw new PartnerRefused(status, `the location refused the order (${status})`);
    },
    async cancel(id, reason) {
      const { status, body } = await http({ method: 'POST', url: url(`/${id}/cancel`), body: { reason }, secret, messageId: `cancel-${id}` });
      if (status === 404) return { outcome: 'cancelled', reason: null };
      const outcome = textField(body, 'outcome');
      if (status === 200 && (outcome === 'cancelled' || outcome === 'refused')) return { outcome, reason: textField(body, 'reason') };
      throw new PartnerRefused(status, `the location did not answer the cancellation (${status})`);
    },
  };
}
