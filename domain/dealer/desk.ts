import type { Sent } from '../edi/answer.ts';
import type { DealerOrder } from './order.ts';

/** A dealer's order as it is kept. `order` null: captured, its document is gone. `refused`: by us, whole. */
export type KeptOrder = { order: DealerOrder | null; sent: Sent; cancelled: boolean; refused: boolean; receivedAt: number };
export type DespatchParcel = { key: string; shipment: string; carrier: string; waybillNo: string; shippedAt: number; lines: { lineId: string; quantity: number }[] };

/** Where a dealer's orders lie and its answers are written: what other platforms do by calls, a dealer does by files. */
export type DealerDesk = {
  read(externalId: string): Promise<KeptOrder | null>;
  /** of these listings, those that sell nothing of ours yet */
  unmapped(listings: readonly { platformSku: string; itemId: null; merchantCode: string | null; title: string }[]): Promise<ReadonlySet<string>>;
  /** Writes what is to be said of an order, once. Throws PartnerUnavailable while it is not known yet. */
  answer(externalId: string): Promise<void>;
  refuse(externalId: string, reason: string): Promise<void>;
  /** We have ended an order that was agreed to: nothing more of it comes. */
  ended(externalId: string): Promise<void>;
  despatch(externalId: string, parcels: readonly DespatchParcel[]): Promise<void>;
};
