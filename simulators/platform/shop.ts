import { randomUUID } from 'node:crypto';

export type Address = { name: string; phone: string; country: string; province: string; city: string; district: string; street: string };
export type OrderStatus = 'unpaid' | 'to_ship' | 'part_shipped' | 'shipped' | 'done' | 'cancelled';
export type Line = { lineId: string; itemId: string; sku: string; merchantCode: string; title: string; quantity: number; cancelled: number; unitPrice: number; shipped: number };
export type AfterSale = { id: string; kind: 'refund' | 'return' | 'exchange'; status: 'requested' | 'agreed' | 'goods_sent' | 'done' | 'refused' | 'closed'; lines: { lineId: string; quantity: number }[]; amount: number; reason: string; updatedAt: number; decidedBy: string | null };
export type Parcel = { key: string; carrier: string; number: string; lines: { lineId: string; quantity: number }[] };
export type Order = {
  id: string; status: OrderStatus; currency: string; createdAt: number; paidAt: number | null; updatedAt: number; buyerId: string; address: Address; wantedAddress: Address | null; addressAnswer: boolean | null;
  lines: Line[]; freight: number; discount: number; remark: string; fulfilledBy: 'us' | 'platform'; afterSales: AfterSale[]; parcels: Parcel[]; session: string | null; cancelReason: string | null;
};
export type Item = { itemId: string; sku: string; merchantCode: string; title: string; price: number; stock: number; held: number; flow: { key: string | null; change: number; at: number }[] };
export type ShopEvent = { id: string; kind: 'created' | 'paid' | 'cancelled' | 'address' | 'shipped' | 'done' | 'after_sale' | 'stock'; order: Order | null; afterSale: AfterSale | null; item: Item | null; at: number };

export type SavedShop = { items: Item[]; orders: Order[]; done: [string, unknown][]; refusedSales: number; next: string; last: number };

/** What a platform refuses; `code`: a word that each protocol turns into its own number. */
export class ShopError extends Error {
  readonly code: 'no_order' | 'no_item' | 'not_enough' | 'state' | 'invalid' | 'no_after_sale';
  constructor(code: ShopError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const HOME: Address = { name: 'Zhang San', phone: '13800000001', country: 'CN', province: 'Zhejiang', city: 'Hangzhou', district: 'Xihu', street: '1 Wensan Road' };

/**
 * The state of a shop as any platform keeps it: what it sells and how much it may sell, orders, after-sales. Stock is taken when an order is placed (`held` until it is paid), so it
 * falls before anybody hears of it. Ids are numbers beyond 2^53, times ms.
 */
export class ShopState {
  readonly items = new Map<string, Item>();
  readonly orders = new Map<string, Order>();
  /** units sold although the figure had fallen to none: the platform lets them through only where a test asks for it */
  refusedSales = 0;
  /** keys of calls that have been carried out, and their answers */
  readonly done = new Map<string, unknown>();
  readonly restores: 'never' | 'unpaid' | 'cancelled';
  readonly listeners: ((event: ShopEvent) => void)[] = [];
  #next = 4_705_288_465_508_532_800n;
  readonly #clock: () => number;
  #last = 0;

  /** how it names a line of an order that has no id of its own */
  readonly #lineId: (item: Item) => string;

  constructor(restores: ShopState['restores'], clock: () => number, lineId?: (item: Item) => string) {
    this.#lineId = lineId ?? (() => this.newId());
    this.restores = restores;
    this.#clock = clock;
  }

  /** Everything it knows, as JSON. */
  save(): SavedShop {
    return { items: [...this.items.values()], orders: [...this.orders.values()], done: [...this.done], refusedSales: this.refusedSales, next: String(this.#next), last: this.#last };
  }

  load(saved: SavedShop): void {
    for (const item of saved.items) this.items.set(item.sku, item);
    for (const order of saved.orders) this.orders.set(order.id, order);
    for (const [key, answer] of saved.done) this.done.set(key, answer);
    this.refusedSales = saved.refusedSales;
    this.#next = BigInt(saved.next);
    this.#last = saved.last;
  }

  /** Strictly growing, so that a version never stands for two states. */
  now(): number { return (this.#last = Math.max(this.#last + 1, this.#clock())); }
  newId(): string { return String((this.#next += 7n)); }

  putItem(item: { sku: string; itemId?: string; merchantCode?: string; title?: string; price?: number; stock?: number }): Item {
    const old = this.items.get(item.sku);
    const made: Item = {
      itemId: item.itemId ?? old?.itemId ?? `9${item.sku.replace(/\D/g, '').padStart(5, '0')}`, sku: item.sku, merchantCode: item.merchantCode ?? old?.merchantCode ?? '', title: item.title ?? old?.title ?? item.sku,
      price: item.price ?? old?.price ?? 1000, stock: item.stock ?? old?.stock ?? 0, held: old?.held ?? 0, flow: old?.flow ?? [],
    };
    this.items.set(item.sku, made);
    return made;
  }

  item(sku: string): Item {
    const item = this.items.get(sku);
    if (!item) throw new ShopError('no_item', `SKU ${sku} does not exist`);
    return item;
  }

  order(id: string): Order {
    const order = this.orders.get(id);
    if (!order) throw new ShopError('no_order', `order ${id} does not exist`);
    return order;
  }

  /** A buyer orders; null when the platform has sold out. `currency`, `fulfilledBy` and the like as a test wants them; the same `id` again is the same order. */
  place(wanted: { lines: { sku: string; quantity: number; unitPrice?: number }[]; paid?: boolean; currency?: string; address?: Partial<Address>; freight?: number; discount?: number; remark?: string; buyerId?: string; fulfilledBy?: 'us' | 'platform'; session?: string; id?: string }): Order | null {
    const placed = wanted.id === undefined ? undefined : this.orders.get(wanted.id);
    if (placed) return placed;
    if (wanted.lines.some((l) => this.item(l.sku).stock < l.quantity)) {
      this.refusedSales += 1;
      return null;
    }
    const now = this.now();
    const paid = wanted.paid ?? true;
    const order: Order = {
      id: wanted.id ?? this.newId(), status: paid ? 'to_ship' : 'unpaid', currency: wanted.currency ?? 'CNY', createdAt: now, paidAt: paid ? now : null, updatedAt: now, buyerId: wanted.buyerId ?? `buyer-${this.newId()}`,
      address: { ...HOME, ...wanted.address }, wantedAddress: null, addressAnswer: null, freight: wanted.freight ?? 0, discount: wanted.discount ?? 0, remark: wanted.remark ?? '', fulfilledBy: wanted.fulfilledBy ?? 'us',
      lines: wanted.lines.map((l) => { const item = this.item(l.sku); return { lineId: this.#lineId(item), itemId: item.itemId, sku: l.sku, merchantCode: item.merchantCode, title: item.title, quantity: l.quantity, cancelled: 0, unitPrice: l.unitPrice ?? item.price, shipped: 0 }; }),
      afterSales: [], parcels: [], session: wanted.session ?? null, cancelReason: null,
    };
    for (const line of order.lines) {
      const item = this.item(line.sku);
      item.stock -= line.quantity;
      if (!paid) item.held += line.quantity;
    }
    this.orders.set(order.id, order);
    this.#tell('created', order);
    if (paid) this.#tell('paid', order);
    return order;
  }

  pay(id: string): void {
    const order = this.order(id);
    if (order.status !== 'unpaid') throw new ShopError('state', `the order is ${order.status}`);
    for (const line of order.lines) this.item(line.sku).held -= line.quantity;
    order.status = 'to_ship';
    order.paidAt = this.now();
    this.#changed(order, 'paid');
  }

  cancel(id: string, reason = 'buyer'): void {
    const order = this.order(id);
    if (order.status === 'cancelled') return;
    if (order.status === 'shipped' || order.status === 'done') throw new ShopError('state', `the order is ${order.status}`);
    const unpaid = order.status === 'unpaid';
    for (const line of order.lines) {
      const item = this.item(line.sku);
      if (unpaid) item.held -= line.quantity;
      if (this.restores === 'cancelled' || (unpaid && this.restores === 'unpaid')) item.stock += line.quantity - line.cancelled;
    }
    order.status = 'cancelled';
    order.cancelReason = reason;
    this.#changed(order, 'cancelled');
  }

  /** `asked`: the buyer wants it and the shop must agree; else it simply is another one. */
  changeAddress(id: string, address: Partial<Address>, asked: boolean): void {
    const order = this.order(id);
    if (asked) order.wantedAddress = { ...order.address, ...address };
    else order.address = { ...order.address, ...address };
    this.#changed(order, 'address');
  }

  answerAddress(id: string, approved: boolean): void {
    const order = this.order(id);
    if (order.wantedAddress === null) throw new ShopError('state', 'nobody asked for another address');
    if (approved) order.address = order.wantedAddress;
    order.wantedAddress = null;
    order.addressAnswer = approved;
    this.#changed(order, 'address');
  }

  /** A parcel leaves: the units of its lines (all that is left, where none are named). The same key again changes nothing. */
  ship(id: string, parcel: { key: string; carrier: string; number: string; lines: { lineId: string; quantity: number }[] | null }): void {
    const order = this.order(id);
    if (order.parcels.some((p) => p.key === parcel.key)) return;
    if (order.status !== 'to_ship' && order.status !== 'part_shipped') throw new ShopError('state', `the order is ${order.status}`);
    const lines = parcel.lines ?? order.lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity - l.cancelled - l.shipped })).filter((l) => l.quantity > 0);
    for (const l of lines) {
      const line = order.lines.find((x) => x.lineId === l.lineId);
      if (!line || l.quantity <= 0 || line.shipped + l.quantity > line.quantity - line.cancelled) throw new ShopError('invalid', `line ${l.lineId} cannot ship ${l.quantity} units`);
    }
    for (const l of lines) (order.lines.find((x) => x.lineId === l.lineId) as Line).shipped += l.quantity;
    order.parcels.push({ ...parcel, lines });
    order.status = order.lines.every((l) => l.shipped >= l.quantity - l.cancelled) ? 'shipped' : 'part_shipped';
    this.#changed(order, 'shipped');
  }

  finish(id: string): void {
    const order = this.order(id);
    order.status = 'done';
    this.#changed(order, 'done');
  }

  openAfterSale(id: string, wanted: { kind: AfterSale['kind']; lines?: { lineId: string; quantity: number }[]; reason?: string }): AfterSale {
    const order = this.order(id);
    const lines = wanted.lines ?? order.lines.map((l) => ({ lineId: l.lineId, quantity: l.quantity }));
    const amount = lines.reduce((sum, l) => sum + l.quantity * (order.lines.find((x) => x.lineId === l.lineId)?.unitPrice ?? 0), 0);
    const afterSale: AfterSale = { id: this.newId(), kind: wanted.kind, status: 'requested', lines, amount, reason: wanted.reason ?? 'does not fit', updatedAt: this.now(), decidedBy: null };
    order.afterSales.push(afterSale);
    this.#changed(order, 'after_sale', afterSale);
    return afterSale;
  }

  afterSale(id: string): { order: Order; afterSale: AfterSale } {
    for (const order of this.orders.values()) {
      const afterSale = order.afterSales.find((a) => a.id === id);
      if (afterSale) return { order, afterSale };
    }
    throw new ShopError('no_after_sale', `after-sale ${id} does not exist`);
  }

  moveAfterSale(id: string, status: AfterSale['status'], by: string): void {
    const { order, afterSale } = this.afterSale(id);
    afterSale.status = status;
    afterSale.decidedBy = by;
    afterSale.updatedAt = this.now();
    this.#changed(order, 'after_sale', afterSale);
  }

  /** Adds to what may be sold; below nothing it cannot fall. */
  addStock(sku: string, change: number, key: string | null): Item {
    const item = this.item(sku);
    if (item.stock + change < 0) throw new ShopError('not_enough', `SKU ${sku} has ${item.stock} left`);
    item.stock += change;
    item.flow.push({ key, change, at: this.now() });
    return item;
  }

  setStock(sku: string, stock: number, key: string | null): Item { return this.addStock(sku, stock - this.item(sku).stock, key); }

  /** Orders changed in [from, to), oldest change first. */
  changed(from: number, to: number): Order[] {
    return [...this.orders.values()].filter((o) => o.updatedAt >= from && o.updatedAt < to).sort((a, b) => a.updatedAt - b.updatedAt);
  }

  /** Once per key: a repetition gets the first answer. */
  once<T>(key: string, run: () => T): T {
    if (this.done.has(key)) return this.done.get(key) as T;
    const answer = run();
    this.done.set(key, answer);
    return answer;
  }

  #changed(order: Order, kind: ShopEvent['kind'], afterSale: AfterSale | null = null): void {
    order.updatedAt = this.now();
    this.#tell(kind, order, afterSale);
  }

  #tell(kind: ShopEvent['kind'], order: Order | null, afterSale: AfterSale | null = null, item: Item | null = null): void {
    const event: ShopEvent = { id: randomUUID(), kind, order: order && structuredClone(order), afterSale: afterSale && structuredClone(afterSale), item: item && structuredClone(item), at: order?.updatedAt ?? this.now() };
    for (const listen of this.listeners) listen(event);
  }
}
