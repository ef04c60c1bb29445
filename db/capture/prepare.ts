import { hash } from 'node:crypto';
import { Problem } from '../../domain/problem.ts';
import { explodeBundles, type BundleComponent } from '../../domain/order/bundles.ts';
import { paymentDueAt } from '../../domain/order/payment.ts';
import { priceOrder, PricingError, type PricedLine } from '../../domain/order/pricing.ts';
import type { OrderIntake, OrderType, PaymentStatus, PromotionsAnswer, Way } from '../../domain/order/intake.ts';
import type { Place } from '../../domain/geo.ts';
import type { Allotment } from '../../domain/stock/overflow.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Channel, Location, Network } from '../network.ts';
import { promote, type GiftLine, type PromotedOrder, type Redemption } from '../promotions/apply.ts';
import { identityOf, isPricedHere, type PromotionFacts } from '../promotions/facts.ts';
import { addressText, type Contact, type Vault } from '../vault.ts';

/** `bundle`: the SKU and line that were ordered, where this line is a component of it. */
export type PreparedLine = {
  lineNo: number; skuId: number | null; skuCode: string; quantity: number; gift: boolean; priced: PricedLine; bundle: { sku: string; line: number } | null;
  /** the promotion that gives this line */
  given?: GiftLine;
};
/** What promotions did for an order, and what it takes of them when it is captured. `refused`: why it cannot be had like this, unless it was captured before. */
export type OrderPromotions = Pick<PromotionsAnswer, 'applied' | 'unused'> & { redemptions: readonly Redemption[]; staffId: number | null; refused: Problem | null };

/** An order made ready to be captured: checked, priced, its people still in clear, in memory only. */
export type PreparedOrder = {
  id: string;
  channel: Channel;
  intake: OrderIntake;
  type: OrderType;
  payment: PaymentStatus;
  bodyHash: Buffer;
  locationId: number | null;
  /** where its units are looked for first; 0 is the shared stock */
  allotmentId: number;
  /** why the session it names could not be used */
  sessionMissed: string | null;
  parentId: string | null;
  destination: Place;
  lines: PreparedLine[];
  promotions: OrderPromotions | null;
  list: number; discount: number; freight: number; total: number;
  identity: Buffer | null;
  addressHash: Buffer;
  contact: Contact;
  orderedAt: Date;
  capturedAt: Date;
  payBy: Date | null;
  /** where it is fetched: units come from there alone */
  pickup: { location: Location; way: Exclude<Way, 'ship'> } | null;
  /** the only location that may serve it, where somebody says so from the beginning */
  forcedLocationId: number | null;
  scheduledFrom: Date | null;
  scheduledTo: Date | null;
  shipBy: Date | null;
  idempotency: { apiKeyId: number; key: string } | null;
  actor: string;
};

/** JSON with sorted keys, so that the order in which a client writes its fields makes no other body. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  let out = '{';
  for (const key of Object.keys(value).sort()) {
    const part = (value as Record<string, unknown>)[key];
    if (part !== undefined) out += `${out.length > 1 ? ',' : ''}${JSON.stringify(key)}:${canonical(part)}`;
  }
  return `${out}}`;
}

export function bodyHash(body: unknown): Buffer {
  return hash('sha256', canonical(body), 'buffer').subarray(0, 16);
}

const DAY = 86_400_000;

/** Checks and prices an intake. Throws Problem with the field at fault. Needs the SKUs of the order loaded into the network, and `facts` (readPromotionFacts) where promotions may concern it. */
export function prepareOrder(
  intake: OrderIntake, network: Network, vault: Vault, now: Date,
  by: { apiKeyId: number; idempotencyKey: string | null; actor: string; locationId: number | null; forcedLocationId?: number | null }, facts: PromotionFacts | null = null,
): PreparedOrder {
  const channel = network.channels.get(intake.channel);
  if (!channel?.active) throw new Problem('unknown_channel', `channel "${intake.channel}" is not known or not active; GET /v1/channels lists them`, '/channel');
  if (intake.currency !== channel.currency) {
    throw new Problem('unprocessable', `channel ${channel.code} takes ${channel.currency}, not ${intake.currency}`, '/currency');
  }
  const location = intake.location === undefined ? null : network.locations.get(intake.location);
  if (location === undefined) throw new Problem('unknown_location', `location "${intake.location ?? ''}" is not known`, '/location');
  const pickup = pickupOf(intake, network);
  const orderedAt = instant(intake.orderedAt, '/orderedAt') ?? now;
  if (orderedAt.getTime() > now.getTime() + DAY) throw new Problem('unprocessable', 'orderedAt lies more than a day ahead', '/orderedAt');
  const scheduledFrom = instant(intake.scheduled?.from, '/scheduled/from');
  const scheduledTo = instant(intake.scheduled?.to, '/scheduled/to');
  if (scheduledTo && scheduledFrom && scheduledTo < scheduledFrom) {
    throw new Problem('unprocessable', 'scheduled.to lies before scheduled.from', '/scheduled/to');
  }
  if (!facts && isPricedHere(intake, channel)) throw new Error('an order that is priced here needs its facts');
  const promoted = facts && promote(intake, channel, network, facts, now);
  const lines = price(intake, network, promoted);
  for (const line of lines.lines) {
    const sku = network.knownSku(line.skuCode);
    line.skuId = sku?.active ? sku.id : null;
    if (line.skuId === null && channel.intakeMode === 'strict' && !line.given) {
      throw new Problem('unknown_sku', `SKU "${line.skuCode}" is not known or not active`, `/lines/${(line.bundle?.line ?? line.lineNo) - 1}/sku`);
    }
  }
  const { buyer, shipTo } = intake;
  return {
    id: uuidv7(), channel, intake, type: intake.type ?? 'retail', payment: intake.payment.status, bodyHash: bodyHash(intake),
    locationId: by.locationId ?? location?.id ?? null, ...allotmentOf(intake, channel, network, orderedAt), parentId: null,
    pickup, forcedLocationId: pickup?.location.id ?? by.forcedLocationId ?? null, destination: pickup?.location.place ?? network.place(shipTo.country, shipTo.province, shipTo.city),
    ...lines, promotions: promoted && promotionsOf(promoted, intake, lines.total),
    identity: identityOf(intake, channel, vault),
    addressHash: vault.hash('address', addressText(shipTo)),
    contact: {
      buyer: buyer ?? null, shipTo, buyerRemark: intake.buyerRemark ?? null, sellerRemark: intake.sellerRemark ?? null, invoice: intake.invoice ?? null,
    },
    orderedAt, capturedAt: now, payBy: paymentDueAt(intake.payment, lines.total, now, channel.paymentWindowS), scheduledFrom, scheduledTo,
    shipBy: instant(intake.shipBy, '/shipBy'),
    idempotency: by.idempotencyKey === null ? null : { apiKeyId: by.apiKeyId, key: by.idempotencyKey },
    actor: by.actor,
  };
}

function pickupOf(intake: OrderIntake, network: Network): PreparedOrder['pickup'] {
  if (!intake.pickup) return null;
  const location = network.locations.get(intake.pickup.location);
  if (!location?.active) throw new Problem('unknown_location', `location "${intake.pickup.location}" is not known or not active`, '/pickup/location');
  if (intake.payment.status === 'cash_on_delivery') throw new Problem('unprocessable', 'what is fetched is paid before or in the shop: cash on delivery is for carriers', '/payment/status');
  return { location, way: intake.pickup.way };
}

/**
 * The allotment of the session that the order names, else its channel's. A session takes orders of its own channel, placed while it runs. Where the channel's orders
 * are facts already (`accept`), an order that missed the session is captured from the channel's stock, and the answer says so.
 */
function allotmentOf(intake: OrderIntake, channel: Channel, network: Network, orderedAt: Date): { allotmentId: number; sessionMissed: string | null } {
  const own = network.allotmentOf(channel.id);
  if (intake.session === undefined) return { allotmentId: own, sessionMissed: null };
  const session = network.allotmentByCode.get(intake.session);
  const missed = missedSession(session, intake.session, channel, orderedAt);
  if (missed !== null && channel.intakeMode === 'strict') throw new Problem('unprocessable', missed, '/session');
  return { allotmentId: missed === null && session ? session.id : own, sessionMissed: missed };
}

function missedSession(session: Allotment | undefined, code: string, channel: Channel, orderedAt: Date): string | null {
  if (!session || (session.kind !== 'campaign' && session.kind !== 'declaration')) return `session "${code}" is not known: name a campaign or a declaration`;
  if (session.channelId !== null && session.channelId !== channel.id) return `session "${code}" belongs to another channel`;
  // A platform's order that was placed in time may reach us later: the moment of ordering counts.
  if (session.startsAt && orderedAt < session.startsAt) return `session "${code}" begins at ${session.startsAt.toISOString()}`;
  if (session.closedAt !== null || (session.endsAt && orderedAt >= session.endsAt)) return `session "${code}" is over`;
  return null;
}

/** A moment of the calendar that JavaScript and PostgreSQL both hold: ISO 8601 has leap seconds and a year 0 that they lack. */
function instant(text: string | undefined, field: string): Date | null {
  if (text === undefined) return null;
  const at = new Date(text);
  const year = at.getUTCFullYear();
  if (year >= 1900 && year <= 9999) return at;
  throw new Problem('unprocessable', 'no such moment: ISO 8601 with hours and minutes of the offset, years 1900 to 9999', field);
}

/** What a SKU consists of, by code, for a bundle; empty for any other. */
export function componentsOf(network: Network, code: string): BundleComponent[] {
  const sku = network.knownSku(code);
  return sku === undefined || !sku.active ? [] : network.components(sku.id).map((c) => ({ sku: c.sku.code, quantity: c.quantity, priceShare: c.priceShare, cost: c.sku.cost }));
}

type Priced = { lines: PreparedLine[]; list: number; discount: number; freight: number; total: number };

function price(intake: OrderIntake, network: Network, promoted: PromotedOrder | null): Priced {
  try {
    const priced = priceOrder({
      currency: intake.currency,
      lines: intake.lines.map((l, i) => ({ lineNo: i + 1, quantity: l.quantity, unitPrice: promoted?.unitPrices[i] ?? l.unitPrice ?? 0, discounts: promoted?.discounts[i] ?? l.discounts ?? [] })),
      discounts: intake.discounts ?? [],
      freight: intake.freight ?? 0,
    });
    const lines = explodeBundles(priced.lines.map((p, i) => {
      const line = intake.lines[i] as OrderIntake['lines'][number];
      return { sku: line.sku, gift: line.gift ?? false, priced: p };
    }), (code) => componentsOf(network, code)).map(({ sku, gift, priced: p, bundle }): PreparedLine => ({ lineNo: p.lineNo, skuId: null, skuCode: sku, quantity: p.quantity, gift, priced: p, bundle }));
    for (const given of promoted?.gifts ?? []) lines.push(giftLine(given, lines.length + 1));
    return { lines, list: priced.listAmount, discount: priced.discountAmount, freight: priced.freight, total: priced.total };
  } catch (error) {
    if (error instanceof PricingError) throw new Problem('unprocessable', error.message, error.field);
    throw error;
  }
}

/** A gift bears nothing, no freight either: it may be left out later without a change of the money. */
function giftLine(given: GiftLine, lineNo: number): PreparedLine {
  const priced: PricedLine = { lineNo, quantity: given.quantity, unitPrice: 0, listAmount: 0, discounts: [], discountAmount: 0, freightShare: 0, netAmount: 0 };
  return { lineNo, skuId: null, skuCode: given.sku, quantity: given.quantity, gift: true, priced, bundle: null, given };
}

function promotionsOf({ applied, unused, redemptions, staffId, refused }: PromotedOrder, intake: OrderIntake, total: number): OrderPromotions {
  const other = intake.expectTotal !== undefined && intake.expectTotal !== total
    ? new Problem('conflict', `the order comes to ${total} now, not to ${intake.expectTotal}: show the customer the new total and send it again`, '/expectTotal', { total }) : null;
  return { applied, unused, redemptions, staffId, refused: refused ?? other };
}
