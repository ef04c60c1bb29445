/** A carrier as the order flow needs it; one folder per carrier implements it. */
export type CarrierConnector = {
  /** Issues a waybill; the same request id gives the same waybill. Throws PartnerRefused when it will not carry this. */
  createWaybill(request: WaybillRequest): Promise<{ waybillNo: string }>;
  /** Takes a waybill back that was not picked up. */
  cancelWaybill(waybillNo: string, reason: string): Promise<'cancelled' | 'refused'>;
  /** Asks to turn a parcel round. */
  intercept(waybillNo: string, requestId: string, reason: string): Promise<{ outcome: 'accepted' | 'refused'; reason: string | null }>;
};

export type WaybillRequest = {
  requestId: string; service: string; cashOnDelivery?: { amount: number; currency: string }; from: { city: string; province: string };
  to: { name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string }; weightG: number;
};
