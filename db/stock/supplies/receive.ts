import { Problem } from '../../../domain/problem.ts';
import { spreadArrival } from '../../../domain/stock/receive.ts';
import type { Network } from '../../network.ts';
import { purchaseArrived } from '../../purchases/arrived.ts';
import { lockOrder, refreshStatus } from '../../orders/order.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { transferArrived } from '../../transfers/arrived.ts';
import type { Tx } from '../../tx.ts';
import { claimReference, lotOf, storeAnswer, type StockLine } from '../receipts.ts';
import { shortenReservations } from '../shorten.ts';
import { putOnLot } from './match-lot.ts';
import { moveClaims } from './move-claims.ts';
import { Shelves, type ArrivedLine } from './shelves.ts';
import { announceChange, claimsOn, findSupply, letBeServed, lockOpen, lockSupply, type Claim, type Supply, type SupplyLevel } from './supply.ts';

export type SupplyReceipt = { reference: string; final?: boolean; lines: (StockLine & { quantity: number })[] };
/** `short`: never came, `surplus`: nobody had announced it, `condition`: came, but not fit to be what was announced. `shortened`: units of it that were reserved. */
export type Variance = { sku: string; kind: 'short' | 'surplus' | 'condition'; units: number; shortened: number };
/** `served`: reserved units that came; `free`: units for nobody yet. */
export type SupplyReceiptAnswer = { supply: string; reference: string; status: 'open' | 'received'; units: number; served: number; free: number; variances: Variance[] };

/** A receipt while it is booked: what the supply still owes, and what has been found. */
type Booking = { levels: SupplyLevel[]; claims: Claim[]; shelves: Shelves; served: Map<string, number>; units: number; free: number; variances: (Variance & { skuId: number })[]; actor: string };

/**
 * Goods of a supply have come. In one transaction: reserved units move to the shelf with their reservations, first promised first; then free ones, into the allotment they were
 * set apart for, else the shared stock; units nobody announced are the shared stock's. With `final` (or once nothing is left to come) the supply is over: what did not
 * come is a variance, and its reservations are short. Orders concerned are woken by the commit. Idempotent by the receipt's reference. Throws Problem.
 */
export async function receiveSupply(
  writer: StockWriter, network: Network, reference: string, receipt: SupplyReceipt, who: { actor: string; onlyLocation: number | null },
): Promise<SupplyReceiptAnswer> {
  await network.loadSkus(receipt.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const { id, locationId } = await findSupply(tx, reference, who.onlyLocation);
    const key = `supply:${reference}`;
    const known = await claimReference<SupplyReceiptAnswer>(tx, key, receipt.reference, receipt);
    if (known) return known;
    const lines = await linesOf(tx, network, receipt);
    const shelves = new Shelves(locationId, lines);
    const { levels, claims } = await lockSupply(tx, id, (some) => shelves.ensure(tx, some));
    const supply = await lockOpen(tx, id);
    const booking: Booking = { levels, claims, shelves, served: new Map(), units: 0, free: 0, variances: [], actor: who.actor };
    // Sellable units first: nobody goes short for a damaged one when enough others came.
    for (const line of [...lines].sort((a, b) => Number(b.condition === 'sellable') - Number(a.condition === 'sellable'))) await arrive(tx, line, booking);
    const over = receipt.final === true || levels.every((l) => l.onHand === 0);
    if (over) await endOf(tx, booking);
    await tellOrders(tx, reference, booking);
    letBeServed(tx, claims);
    await record(tx, supply, receipt, lines, booking, over);
    const answer: SupplyReceiptAnswer = {
      supply: reference, reference: receipt.reference, status: over ? 'received' : 'open', units: lines.reduce((sum, l) => sum + l.units, 0), served: booking.units, free: booking.free,
      variances: booking.variances.map(({ skuId: _skuId, ...v }) => v),
    };
    await transferArrived(tx, supply.id, { ...answer, over }, who.actor);
    await purchaseArrived(tx, supply.id, { ...answer, over }, who.actor);
    await storeAnswer(tx, key, receipt.reference, answer);
    return answer;
  });
}

async function linesOf(tx: Tx, network: Network, receipt: SupplyReceipt): Promise<ArrivedLine[]> {
  const lines: ArrivedLine[] = [];
  for (const [i, line] of receipt.lines.entries()) {
    const sku = network.knownSku(line.sku);
    if (!sku) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known`, `/lines/${i}/sku`);
    if (sku.lotTracked !== (line.lot !== undefined)) {
      throw new Problem('unprocessable', sku.lotTracked ? `SKU "${line.sku}" is tracked by lot: say which came` : `SKU "${line.sku}" is not tracked by lot: leave it out`, `/lines/${i}/lot`);
    }
    const lotId = line.lot ? await lotOf(tx, sku, line.lot, `/lines/${i}/lot`) : 0;
    const condition = line.condition ?? 'sellable';
    lines.push({ skuId: sku.id, sku: sku.code, condition: condition === 'sellable' && await unfit(tx, lotId) ? 'quarantine' : condition, lotId, units: line.quantity });
  }
  return lines;
}

/** A lot that was recalled, or whose last day is over, serves nobody: it goes into quarantine. */
async function unfit(tx: Tx, lotId: number): Promise<boolean> {
  return lotId !== 0 && await tx.one('select 1 from lots where id = $1 and (recalled_at is not null or expires_on < $2::date)', [lotId, tx.now.toISOString().slice(0, 10)]) !== null;
}

/** One line: what was announced like it (first of the same lot), then what was announced in another condition, then what was not announced. */
async function arrive(tx: Tx, line: ArrivedLine, booking: Booking): Promise<void> {
  const { levels } = booking;
  const owed = levels.filter((l) => l.skuId === line.skuId && l.onHand > 0);
  const same = owed.filter((l) => l.condition === line.condition);
  if (await putOnLot(tx, line.lotId, line.units, same, booking.claims)) booking.claims = await claimsOn(tx, levels.map((l) => l.id));
  const ofLot = await spread(tx, line, line.units, same.filter((l) => l.lotId === line.lotId), booking);
  const rest = await spread(tx, line, ofLot, same.filter((l) => l.lotId !== line.lotId), booking);
  await arriveOtherwise(tx, line, rest, owed.filter((l) => l.condition !== line.condition), booking);
}

/** Units that are what some levels owe. Returns how many more came. */
async function spread(tx: Tx, line: ArrivedLine, units: number, same: readonly SupplyLevel[], booking: Booking): Promise<number> {
  const { claims, shelves } = booking;
  const own = same.map((l) => claims.filter((c) => c.levelId === l.id && c.quantity > 0));
  const order = claims.flatMap((c) => {
    const at = own.findIndex((some) => some.includes(c));
    return at < 0 ? [] : [[at, own[at]?.indexOf(c) ?? 0] as const];
  });
  const due = same.map((l, i) => ({ levelId: l.id, onHand: l.onHand, allotted: l.allotmentId !== 0, claims: (own[i] ?? []).map((c) => ({ units: c.quantity })) }));
  const { arrivals, surplus } = spreadArrival(units, due, order);
  for (const [i, { claims: given, free }] of arrivals.entries()) {
    const level = same[i] as SupplyLevel;
    const moves = given.flatMap((units, n) => (units > 0 ? [{ claim: own[i]?.[n] as Claim, units }] : []));
    const reserved = moves.reduce((sum, m) => sum + m.units, 0);
    if (reserved + free === 0) continue;
    const to = shelves.of(line, level.allotmentId);
    await tx.post('supply_received', null, [{ levelId: level.id, onHand: -(reserved + free), reserved: -reserved }, { levelId: to, onHand: reserved + free, reserved }]);
    await moveClaims(tx, moves, to);
    level.onHand -= reserved + free;
    level.reserved -= reserved;
    for (const { claim, units } of moves) if (!claim.lease) booking.served.set(claim.owner, (booking.served.get(claim.owner) ?? 0) + units);
    booking.units += reserved;
    booking.free += free;
  }
  return surplus;
}

/** Units that were announced in another condition; then those that nobody announced. */
async function arriveOtherwise(tx: Tx, line: ArrivedLine, came: number, others: readonly SupplyLevel[], booking: Booking): Promise<void> {
  const { shelves } = booking;
  let rest = came;
  for (const level of others) {
    const units = Math.min(rest, level.onHand);
    if (units === 0) continue;
    rest -= units;
    const shortened = await shorten(tx, level, level.reserved - (level.onHand - units), booking);
    await tx.post('supply_received', null, [{ levelId: level.id, onHand: -units, reserved: 0 }, { levelId: shelves.of(line, 0), onHand: units, reserved: 0 }]);
    level.onHand -= units;
    booking.variances.push({ skuId: line.skuId, sku: line.sku, kind: 'condition', units, shortened });
  }
  if (rest === 0) return;
  await tx.post('supply_surplus', null, [{ levelId: shelves.of(line, 0), onHand: rest, reserved: 0 }]);
  booking.free += rest;
  booking.variances.push({ skuId: line.skuId, sku: line.sku, kind: 'surplus', units: rest, shortened: 0 });
}

/** The youngest claims of a level give up so many units; its figures follow. */
async function shorten(tx: Tx, level: SupplyLevel, units: number, booking: Booking): Promise<number> {
  if (units <= 0) return 0;
  const shortened = await shortenReservations(tx, level.id, units, booking.actor, 'supply_variance');
  level.reserved -= shortened;
  booking.claims = await claimsOn(tx, booking.levels.map((l) => l.id));
  return shortened;
}

/** Nothing more comes. */
async function endOf(tx: Tx, booking: Booking): Promise<void> {
  const missing = booking.levels.filter((l) => l.onHand > 0);
  if (missing.length === 0) return;
  const codes = new Map((await tx.query<{ id: number; code: string }>('select id, code from skus where id = any($1::int[])', [missing.map((l) => l.skuId)])).map((s) => [s.id, s.code]));
  for (const level of missing) {
    const units = level.onHand;
    const shortened = await shorten(tx, level, level.reserved, booking);
    await tx.post('supply_short', null, [{ levelId: level.id, onHand: -units, reserved: 0 }]);
    level.onHand = 0;
    const skuId = level.skuId;
    const known = booking.variances.find((v) => v.skuId === skuId && v.kind === 'short');
    if (known) {
      known.units += units;
      known.shortened += shortened;
    } else booking.variances.push({ skuId, sku: codes.get(skuId) ?? '', kind: 'short', units, shortened });
  }
  await announceChange(tx, booking.levels.map((l) => l.id));
}

/** Their units are there: they can be routed. */
async function tellOrders(tx: Tx, reference: string, booking: Booking): Promise<void> {
  for (const [orderId, units] of booking.served) {
    await tx.event(orderId, 'order.supply_received', booking.actor, { supply: reference, units });
    const order = await lockOrder(tx, orderId);
    await refreshStatus(tx, order, booking.actor);
    await tx.wake(orderId, order.shipBy);
  }
}

async function record(tx: Tx, supply: Supply, receipt: SupplyReceipt, lines: readonly ArrivedLine[], booking: Booking, over: boolean): Promise<void> {
  await tx.query(
    `insert into supply_receipts (supply_id, reference, line_no, sku_id, condition, lot_id, quantity, received_at, received_by)
     select $1, $2, n, s, c, l, q, $3, $4 from unnest($5::int[], $6::int[], $7::text[], $8::int[], $9::int[]) as t(n, s, c, l, q)`,
    [supply.id, receipt.reference, tx.now, booking.actor, lines.map((_, i) => i + 1), lines.map((l) => l.skuId), lines.map((l) => l.condition), lines.map((l) => l.lotId), lines.map((l) => l.units)]);
  for (const v of booking.variances) {
    await tx.query('insert into supply_variances (supply_id, reference, sku_id, kind, units, shortened, at) values ($1, $2, $3, $4, $5, $6, $7)',
      [supply.id, receipt.reference, v.skuId, v.kind, v.units, v.shortened, tx.now]);
  }
  if (over) await tx.query(`update supplies set status = 'received', received_at = $2, version = version + 1 where id = $1`, [supply.id, tx.now]);
}
