import type { Milestone } from '../domain/order/milestone.ts';

/** A piece of a parcel's history as the carrier tells it. */
export type CarrierEvent = { eventId: string; waybillNo: string; status: Milestone; description?: string; city?: string; occurredAt: string };

/** A carrier as the order flow needs it; one folder per carrier implements it. */
export type CarrierConnector = {
  /** Issues a waybill; the same request id gives the same waybill. Throws PartnerRefused when it will not carry this. */
  createWaybill(request: WaybillRequest): Promise<{ waybillNo: string }>;
  /** Takes a waybill back that was not picked up. */
  cancelWaybill(waybillNo: string, reason: string): Promise<'cancelled' | 'refused'>;
  /** The whole history of a parcel, for the poll that backs up lost pushes. A waybill the carrier does not know has none. */
  events(waybillNo: string): Promise<CarrierEvent[]>;
  /** Asks to turn a parcel round. */
  intercept(waybillNo: string, requestId: string, reason: string): Promise<{ outcome: 'accepted' | 'refused'; reason: string | null }>;
};

export type WaybillRequest = {
  requestId: string; service: string; cashOnDelivery?: { amount: number; currency: string }; from: { city: string; province: string };
  to: { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string }; weightG: number;
  /** of all units together, where it is known */
  volumeMm3?: number;
};
