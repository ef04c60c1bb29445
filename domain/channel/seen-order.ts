import type { Discount, OrderType } from '../order/intake.ts';

/** How far an order is on its platform, in our words. `cancelled`: whole, by whomever. */
export type SeenStatus = 'unpaid' | 'to_ship' | 'part_shipped' | 'shipped' | 'done' | 'cancelled';

/** `unitPrice` and discounts in minor units. `platformSku`: the listing sold; `merchantCode`: what the shop wrote on it, by which a mapping can be suggested. `cancelled`: units of it that are no more to be shipped. */
export type SeenLine = {
  lineId: string; itemId: string | null; platformSku: string; merchantCode: string | null; title: string; quantity: number; cancelled: number; unitPrice: number;
  discounts: Discount[]; gift: boolean;
  /** units of it that refunds have put into the platform's figure again, where it says so */
  putBack?: number;
  /** its units leave the platform's figure when the order is paid, not when it is placed */
  takenWhenPaid?: boolean;
};

/**
 * Where it goes. `sealed`: fields that the platform gives encrypted only (they travel to its own waybill service as they are; the plain fields then hold what it shows of them).
 * `token`: the platform's own name for buyer and address: equal tokens, one parcel.
 */
export type SeenAddress = {
  name: string; phone: string; country: string; province: string; city: string; district?: string; street: string; postcode?: string;
  sealed?: Readonly<Record<string, string>>; token?: string;
};

export type SeenAfterSale = {
  id: string; kind: 'refund' | 'return' | 'exchange' | 'resend' | 'repair';
  /** requested → agreed → goods_sent → done, or refused, or closed by the buyer */
  status: 'requested' | 'agreed' | 'goods_sent' | 'done' | 'refused' | 'closed';
  lines: { lineId: string; quantity: number }[]; amount: number | null; reason: string;
  waybill: { carrier: string; number: string } | null; version: number;
};

/** An order as its platform shows it. Money in minor units of `currency`, ids as text, times ms since epoch; `version` grows with every change. */
export type SeenOrder = {
  externalId: string; version: number; status: SeenStatus;
  /** `platform`: its own warehouse ships it (京东仓, 菜鸟仓, 云仓) */
  fulfilledBy: 'us' | 'platform';
  currency: string; orderedAt: number; paidAt: number | null; shipBy: number | null;
  cashOnDelivery: boolean;
  buyer: { id: string | null; name: string | null };
  address: SeenAddress | null;
  /** the buyer asks for this address instead, and it is ours to agree; `unseen`: the platform shows it after we have agreed */
  wantedAddress: SeenAddress | 'unseen' | null;
  lines: SeenLine[]; discounts: Discount[]; freight: number;
  buyerRemark: string | null; sellerRemark: string | null;
  /** code of the campaign or declaration that sold it, where the platform tells a live session */
  session: string | null;
  afterSales: SeenAfterSale[];
  /** the platform itself keeps it back for now (its risk review, a pause): why, in words; it is not worked on until it says no more of that */
  keptBack?: string | null;
  /** what has been shipped, as the platform knows it; its own warehouse's parcels become ours */
  parcels: { carrier: string; number: string }[];
  /** of a cancelled order: whether its units are in the platform's figure again; left out where the platform does not say and its rule (`restores`) decides */
  putBack?: boolean;
  /** its lines never tell what was taken off them after they were ordered: refunds do */
  refundsTellUnits?: boolean;
  /** where it is no retail order */
  type?: OrderType;
  /** wanted at this time: not sent before `from`, ms since epoch */
  scheduled?: { from: number; to: number | null };
  /** billed later: nothing is to be paid before it ships */
  onAccount?: boolean;
};
