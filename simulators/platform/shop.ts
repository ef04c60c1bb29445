import { randomUUID } from 'node:crypto';
import type { Address, AfterSale, Item, Line, Order, SavedShop, ShopEvent } from './order.ts';

/** What a platform refuses; `code`: a word that each protocol turns into its own number. */
export class ShopError extends Error {
  readonly code: 'no_order' | 'no_item' | 'not_enough' | 'state' | 'invalid' | 'no_after_sale';
  constructor(code: ShopError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const HOME: Address = { name: 'Zhang San', phone: '13800000001', country: 'CN', province: 'Zhejiang', city: 'Hangzhou', district: 'Xihu', street: '1 Wensan Road' };

/** What may be sold of an item, by pool. */
export function poolsOf(item: Item): { normal: number; campaign: number; channel: number } {
  const campaign = Math.min(item.stock, item.locked?.campaign ?? 0);
  const channel = Math.min(item.stock - campaign, item.locked?.channel ?? 0);
  return { normal: item.stock - campaign - channel, campaign, channel };
}

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
      lines: wanted.lines.map((l) => { const item = this.item(l.sku); return { lineId: this.#lineId(item), itemId: item.itemId, sku: l.sku, merchantCode: item.merchantCode, title: item.title, quantity: l.quantity, cancelled: 0, unitPrice: l.unitPrice ?? item.price, shipped: 0, ...(item.takenWhenPaid === true ? { takenWhenPaid: true as const } : {}) }; }),
      afterSales: [], parcels: [], session: wanted.session ?? null, cancelReason: null,
    };
    for (const line of order.lines) {
      const item = this.item(line.sku);
      if (!paid && line.takenWhenPaid) continue;
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
    if (order.lines.some((l) => l.takenWhenPaid && this.item(l.sku).stock < l.quantity)) throw new ShopError('not_enough', 'it was sold before it was paid');
    for (const line of order.lines) {
      const item = this.item(line.sku);
      if (line.takenWhenPaid) item.stock -= line.quantity;
      else item.held -= line.quantity;
    }
    order.status = 'to_ship';
    order.paidAt = this.now();
    this.#changed(order, 'paid');
  }

  /** `restock`: the units go back to what may be sold, where the platform does that at all. */
  cancel(id: string, reason = 'buyer', restock = true): void {
    const order = this.order(id);
    if (order.status === 'cancelled') return;
    if (order.status === 'shipped' || order.status === 'done') throw new ShopError('state', `the order is ${order.status}`);
    const unpaid = order.status === 'unpaid';
    const back = restock && (this.restores === 'cancelled' || (unpaid && this.restores === 'unpaid'));
    for (const line of order.lines) {
      const item = this.item(line.sku);
      if (unpaid && line.takenWhenPaid) continue;
      if (unpaid) item.held -= line.quantity;
      if (back) item.stock += line.quantity - line.cancelled - (line.restocked ?? 0);
    }
    order.status = 'cancelled';
    order.cancelReason = reason;
    order.restocked = back;
    this.#changed(order, 'cancelled');
  }

  /** Some units of a line are no more to be shipped; they go back as those of a whole order do. */
  cancelUnits(id: string, lineId: string, units: number): void {
    const order = this.order(id);
    const line = order.lines.find((l) => l.lineId === lineId);
    if (!line || units > line.quantity - line.cancelled - line.shipped) throw new ShopError('invalid', `line ${lineId} has no ${units} units left`);
    line.cancelled += units;
    if (this.restores === 'cancelled') this.item(line.sku).stock += units;
    this.#changed(order, 'address');
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

  /** The platform keeps it back, or lets it go again. */
  pause(id: string, paused: boolean): void {
    const order = this.order(id);
    order.paused = paused;
    this.#changed(order, 'address');
  }

  /** The shop throws it into its bin, or deletes it for good. */
  discard(id: string, forGood: boolean): void {
    const order = this.order(id);
    order.trashed = true;
    this.#changed(order, 'cancelled');
    if (forGood) this.orders.delete(id);
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

  /** `restock`: its units may be sold again. */
  moveAfterSale(id: string, status: AfterSale['status'], by: string, restock = false): void {
    const { order, afterSale } = this.afterSale(id);
    for (const { lineId, quantity } of restock ? afterSale.lines : []) {
      const line = order.lines.find((l) => l.lineId === lineId);
      if (!line) throw new ShopError('invalid', `the order has no line ${lineId}`);
      line.restocked = (line.restocked ?? 0) + quantity;
      this.item(line.sku).stock += quantity;
    }
    afterSale.status = status;
    afterSale.decidedBy = by;
    afterSale.updatedAt = this.now();
    this.#changed(order, 'after_sale', afterSale);
  }

  /** Adds to what may be sold; below nothing it cannot fall. */
  addStock(sku: string, change: number, key: string | null): Item {
    const item = this.item(sku);
    const { normal } = poolsOf(item);
    if (normal + change < 0 && change < 0) throw new ShopError('not_enough', `SKU ${sku} has ${normal} left`);
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
