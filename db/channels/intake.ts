import type { Discount, OrderIntake } from '../../domain/order/intake.ts';
import type { SeenOrder } from '../../domain/channel/seen-order.ts';
import { notTaken } from '../../domain/channel/taken.ts';

/** A platform line in ours: the line it began on and how many lines it is. `listing`: its platform SKU. `ordered`: its units before any was cancelled; absent: captured by a version before. `untaken`: not paid yet, and its units on the platform's figure until it is. */
export type LineMap = { lineId: string; listing: string; units: number; ordered?: number; first: number; components: { quantity: number }[]; untaken?: true };
/** Of a listing: the SKUs that one unit of it is. */
type Sells = { components: readonly { sku: { code: string }; quantity: number }[] };

/**
 * A platform order as our intake. One line of a listing that sells several SKUs becomes a line each: its money is parted by units, to the minor unit; what does not divide stands as a
 * discount `listing_share`, so that price × units less discounts is what was paid. Throws RangeError for an order without units.
 */
export function toIntake(channelCode: string, seen: SeenOrder, listings: ReadonlyMap<string, Sells>): { intake: OrderIntake; map: LineMap[] } {
  const map: LineMap[] = [];
  const lines: OrderIntake['lines'] = [];
  const untaken = notTaken(seen);
  for (const line of seen.lines) {
    const quantity = line.quantity - line.cancelled;
    if (quantity <= 0) continue;
    const components = listings.get(line.platformSku)?.components ?? [];
    map.push({ lineId: line.lineId, listing: line.platformSku, units: quantity, ordered: line.quantity, first: lines.length + 1, components: components.map((c) => ({ quantity: c.quantity })), ...(untaken.has(line.lineId) ? { untaken: true as const } : {}) });
    lines.push(...parts(line.unitPrice * quantity, share(line.discounts, quantity, line.quantity), components.map((c) => ({ sku: c.sku.code, quantity: c.quantity * quantity })), line.gift));
  }
  if (lines.length === 0) throw new RangeError('the order has no unit left to ship');
  const a = seen.address;
  const intake: OrderIntake = {
    channel: channelCode, externalId: seen.externalId, ...(seen.type === undefined ? {} : { type: seen.type }), currency: seen.currency, orderedAt: new Date(seen.orderedAt).toISOString(),
    payment: { status: seen.onAccount === true ? 'not_due' : seen.cashOnDelivery ? 'cash_on_delivery' : seen.paidAt === null ? 'unpaid' : 'paid' },
    ...(seen.buyer.id === null && seen.buyer.name === null ? {} : { buyer: { ...(seen.buyer.id === null ? {} : { id: seen.buyer.id }), ...(seen.buyer.name === null ? {} : { name: seen.buyer.name }) } }),
    shipTo: a === null ? { name: '', phone: '', country: 'CN', province: '', city: '', street: '' } : { ...a },
    lines, discounts: seen.discounts, freight: seen.freight,
    ...(seen.buyerRemark ? { buyerRemark: seen.buyerRemark } : {}), ...(seen.sellerRemark ? { sellerRemark: seen.sellerRemark } : {}),
    ...(seen.shipBy === null ? {} : { shipBy: new Date(seen.shipBy).toISOString() }), ...(seen.scheduled === undefined ? {} : { scheduled: { from: new Date(seen.scheduled.from).toISOString(), ...(seen.scheduled.to === null ? {} : { to: new Date(seen.scheduled.to).toISOString() }) } }),
    ...(seen.session === null ? {} : { session: seen.session }),
  };
  return { intake, map };
}

/** The part of a line's discounts that falls to `quantity` of its `of` units, rounded down: the buyer's due is never more than it was. */
function share(discounts: readonly Discount[], quantity: number, of: number): Discount[] {
  return quantity === of ? [...discounts] : discounts.map((d) => ({ ...d, amount: Math.floor((d.amount * quantity) / of) }));
}

function parts(amount: number, discounts: readonly Discount[], components: readonly { sku: string; quantity: number }[], gift: boolean): OrderIntake['lines'] {
  const units = components.reduce((sum, c) => sum + c.quantity, 0);
  let before = 0;
  return components.map((c) => {
    const cut = (total: number): number => Math.floor((total * (before + c.quantity)) / units) - Math.floor((total * before) / units);
    const due = cut(amount);
    const own = discounts.map((d) => ({ ...d, amount: cut(d.amount) })).filter((d) => d.amount > 0);
    before += c.quantity;
    const unitPrice = Math.ceil(due / c.quantity);
    const rest = unitPrice * c.quantity - due;
    const all: Discount[] = rest === 0 ? own : [...own, { bearer: 'brand', code: 'listing_share', amount: rest }];
    return { sku: c.sku, quantity: c.quantity, unitPrice, ...(all.length > 0 ? { discounts: all } : {}), ...(gift ? { gift } : {}) };
  });
}
