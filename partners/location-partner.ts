import { PartnerRefused, textField, type Http } from '../domain/http-port.ts';

/** A location (WMS, shop, dealer, 3PL) as `docs/partner-protocol.md` has it. */
export type LocationPartner = {
  /** Hands a fulfillment order over; the same id twice is taken once. Throws PartnerRefused when it will never take it. */
  release(order: ReleaseMessage): Promise<{ partnerRef: string }>;
  /** Asks for it back. An id the location never got counts as cancelled. */
  cancel(fulfillmentOrderId: string, reason: string): Promise<{ outcome: 'cancelled' | 'refused'; reason: string | null }>;
  /** Reminds it of an order that it has neither accepted nor rejected. False where it has no such call. */
  remind(fulfillmentOrderId: string, rerouteAt: string): Promise<boolean>;
  /** Asks what it has, page after page; `takenAt` is that of the first page. `messageId` is the same for every retry. Throws PartnerRefused when it does not tell. */
  pullSnapshot(locationCode: string, messageId: string): Promise<{ takenAt: string; lines: StockLine[] }>;
};

export type StockLine = { sku: string; condition: string; quantity: number };

export type ReleaseMessage = {
  fulfillmentOrderId: string; orderId: string; locationCode: string; priority: number; shipBy: string; scheduledFrom?: string; carrier?: string; waybillNo?: string;
  cashOnDelivery?: { amount: number; currency: string };
  shipTo: { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string };
  lines: { lineNo: number; sku: string; quantity: number; gift?: boolean }[];
  /** a dealer or vendor sends in this name, without papers of its own (代发) */
  onBehalfOf?: string;
  /** the customer fetches it: packed is ready, handed out against a code */
  pickup?: { way: string; readyBy: string }; buyerRemark?: string; sellerRemark?: string;
};

export function createLocationPartner(http: Http, baseUrl: string, secret: string | null): LocationPartner {
  const base = baseUrl.replace(/\/$/, '');
  const url = (path: string): string => `${base}/v1/fulfillment-orders${path}`;
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
    async remind(id, rerouteAt) {
      const { status } = await http({ method: 'POST', url: url(`/${id}/remind`), body: { rerouteAt }, secret, messageId: `remind-${id}` });
      if (status >= 200 && status < 300) return true;
      if (status === 404 || status === 405 || status === 501) return false;
      throw new PartnerRefused(status, `the location refused the reminder (${status})`);
    },
    async pullSnapshot(locationCode, messageId) {
      const lines: StockLine[] = [];
      let takenAt: string | null = null;
      for (let after = '', page = 0; ; page++) {
        const query = new URLSearchParams({ location: locationCode, limit: '1000', ...(after === '' ? {} : { after }) });
        const { status, body } = await http({ method: 'GET', url: `${base}/v1/stock?${query.toString()}`, secret, messageId: `${messageId}-${page}` });
        const items = status === 200 ? itemsOf(body) : null;
        takenAt ??= textField(body, 'takenAt');
        if (items === null || takenAt === null || Number.isNaN(Date.parse(takenAt))) throw new PartnerRefused(status, `the location did not tell its stock (${status})`);
        lines.push(...items);
        const next = textField(body, 'next');
        if (next === null) return { takenAt, lines };
        if (next === after) throw new PartnerRefused(status, 'the location gives the same page again and again');
        after = next;
      }
    },
  };
}

function itemsOf(body: unknown): StockLine[] | null {
  const items = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)['items'] : null;
  if (!Array.isArray(items)) return null;
  const lines = items.map((item: unknown): StockLine | null => {
    const sku = textField(item, 'sku');
    const quantity = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)['quantity'] : null;
    return sku === null || typeof quantity !== 'number' ? null : { sku, condition: textField(item, 'condition') ?? 'sellable', quantity };
  });
  return lines.includes(null) ? null : lines as StockLine[];
}
