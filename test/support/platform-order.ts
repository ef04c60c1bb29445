import { applyOrder, type IntakeRules, type Outcome } from '../../db/channels/apply-order.ts';
import type { SeenAfterSale, SeenLine, SeenOrder } from '../../domain/channel/seen-order.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { advance } from './advance.ts';
import type { World } from './world.ts';

export const uuid = (id: string): string => decodeId('ord', id) as string;

/** An order of the world's shop `douyin` as its platform shows it: change `seen`, and `apply` brings ours to where it is. Its lines are A, B, … of SKU-1, SKU-2, … at 10.00, its line ids the letters. */
export class PlatformOrder {
  static #next = 1;
  readonly world: World;
  readonly seen: SeenOrder;
  /** ours */
  id = '';

  private constructor(world: World, seen: SeenOrder) {
    this.world = world;
    this.seen = seen;
  }

  /** Captured. `street`: orders to one street of one buyer can be merged. */
  static async place(world: World, units: readonly number[], more: Partial<SeenOrder> & { street?: string } = {}): Promise<PlatformOrder> {
    const n = PlatformOrder.#next++;
    const { street = `${n} Road`, ...rest } = more;
    const lines = units.map((quantity, i): SeenLine => ({
      lineId: 'ABCD'[i] ?? '?', itemId: null, platformSku: `P-${i + 1}`, merchantCode: `SKU-${i + 1}`, title: '', quantity, cancelled: 0, unitPrice: 1000, discounts: [], gift: false,
    }));
    const order = new PlatformOrder(world, {
      externalId: `T-${n}`, version: 1, status: 'to_ship', fulfilledBy: 'us', currency: 'CNY', orderedAt: world.now.getTime(), paidAt: world.now.getTime(), shipBy: null, cashOnDelivery: false, buyer: { id: street, name: null },
      address: { name: 'T', phone: '1', country: 'CN', province: 'Shanghai', city: 'Shanghai', street }, wantedAddress: null, discounts: [], freight: 0, buyerRemark: null, sellerRemark: null, session: null, afterSales: [], parcels: [], lines, ...rest,
    });
    await order.apply();
    const { id } = await world.one<{ id: string }>('select order_id id from channel_orders where external_id = $1', order.seen.externalId);
    order.id = encodeId('ord', id);
    return order;
  }

  async apply(change?: (seen: SeenOrder) => void, rules: Partial<IntakeRules> = {}): Promise<Outcome> {
    change?.(this.seen);
    this.seen.version += 1;
    const { store } = this.world;
    const channel = store.network.channels.get('douyin');
    if (!channel) throw new Error('the world has no shop');
    return applyOrder({ writer: store.writer, network: store.network, vault: store.vault, capture: store.capture }, channel, structuredClone(this.seen), { automaticMapping: true, platformLocation: null, restores: 'never', ...rules });
  }

  /** An after-sale of so many units by line id is asked for, or moves on; no lines: of none in particular. */
  async afterSale(id: string, status: SeenAfterSale['status'], lines: Record<string, number> = {}, more: Partial<SeenAfterSale> = {}): Promise<Outcome> {
    const known = this.seen.afterSales.find((a) => a.id === id);
    if (known) known.status = status;
    else {
      this.seen.afterSales.push({
        id, kind: 'refund', status, lines: Object.entries(lines).map(([lineId, quantity]) => ({ lineId, quantity })), amount: null, reason: 'changed my mind', waybill: null, version: 1, ...more,
      });
    }
    return this.apply();
  }

  /** It goes to its locations, as far as nobody stops it. */
  advance(): Promise<void> { return advance(this.world, this.id); }

  /** Units of our lines, `quantity-cancelled`, by order and line. */
  async units(of: string = this.id): Promise<string[]> {
    const { rows } = await this.world.store.pool.query<{ u: string }>(`select quantity || '-' || cancelled_quantity u from order_lines where order_id = $1 order by line_no`, [uuid(of)]);
    return rows.map((r) => r.u);
  }

  async holds(of: string = this.id): Promise<string[]> {
    const { rows } = await this.world.store.pool.query<{ detail: string }>('select detail from order_holds where order_id = $1 and released_at is null order by id', [uuid(of)]);
    return rows.map((r) => r.detail);
  }

  /** What it is held for on its channel's side: null while it is open. */
  async held(): Promise<{ reason: string | null; key: string | null; detail: string | null }> {
    return this.world.one('select hold_reason reason, hold_key key, hold_detail detail from channel_orders where external_id = $1', this.seen.externalId);
  }

  /** Somebody has seen to what held it. */
  async release(): Promise<void> {
    await this.world.store.pool.query(`update channel_orders set state = 'open' where external_id = $1`, [this.seen.externalId]);
    await this.apply();
  }

  /** Parcels leave: one for each list of `[line, units]` of the fulfillment order that is there. */
  async ship(parcels: readonly (readonly [number, number])[][], of: string = this.id): Promise<string[]> {
    const f = (await this.world.fulfillments(of)).find((x) => ['released', 'accepted', 'packed'].includes(x.status));
    if (!f) throw new Error('nothing is at a location');
    const names = parcels.map((_, i) => `W-${f.id}-${i + 1}`);
    await this.world.tell(f, { type: 'goods_issue', parcels: parcels.map((lines, i) => ({ parcelNo: i + 1, carrier: 'sim', waybillNo: names[i], lines: lines.map(([lineNo, quantity]) => ({ lineNo, quantity })) })) });
    return names;
  }
}
