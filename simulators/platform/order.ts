export type Address = { name: string; phone: string; country: string; province: string; city: string; district: string; street: string };
export type OrderStatus = 'unpaid' | 'to_ship' | 'part_shipped' | 'shipped' | 'done' | 'cancelled';
export type Line = { lineId: string; itemId: string; sku: string; merchantCode: string; title: string; quantity: number; cancelled: number; unitPrice: number; shipped: number; /** units that refunds have put back */ restocked?: number; /** its units are taken with the payment, not with the order */ takenWhenPaid?: true };
export type AfterSale = { id: string; kind: 'refund' | 'return' | 'exchange'; status: 'requested' | 'agreed' | 'goods_sent' | 'done' | 'refused' | 'closed'; lines: { lineId: string; quantity: number }[]; amount: number; reason: string; updatedAt: number; decidedBy: string | null };
export type Parcel = { key: string; carrier: string; number: string; lines: { lineId: string; quantity: number }[] };
export type Order = {
  id: string; status: OrderStatus; currency: string; createdAt: number; paidAt: number | null; updatedAt: number; buyerId: string; address: Address; wantedAddress: Address | null; addressAnswer: boolean | null;
  lines: Line[]; freight: number; discount: number; remark: string; fulfilledBy: 'us' | 'platform'; afterSales: AfterSale[]; parcels: Parcel[]; session: string | null; cancelReason: string | null;
  /** of a cancelled order: its units may be sold again */
  restocked?: boolean;
  /** the platform keeps it back: no parcel of it is taken */
  paused?: boolean;
  /** bought with play money */
  test?: boolean;
  /** in the shop's bin; what is deleted for good is here no more */
  trashed?: boolean;
  /** a status of a plugin of the shop's, in its word */
  word?: string;
};
export type Item = { itemId: string; sku: string; merchantCode: string; title: string; price: number; stock: number; held: number; flow: { key: string | null; change: number; at: number }[]; takenWhenPaid?: boolean; /** of `stock`: kept for a campaign, and for one livestreamer; sold last, and never taken off by the shop */ locked?: { campaign: number; channel: number } };
export type ShopEvent = { id: string; kind: 'created' | 'paid' | 'cancelled' | 'address' | 'shipped' | 'done' | 'after_sale' | 'stock'; order: Order | null; afterSale: AfterSale | null; item: Item | null; at: number };

export type SavedShop = { items: Item[]; orders: Order[]; done: [string, unknown][]; refusedSales: number; next: string; last: number };
