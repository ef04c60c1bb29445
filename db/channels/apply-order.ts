import type pg from 'pg';
import { appliedOf, nextSteps, type Applied, type Step } from '../../domain/channel/next-steps.ts';
import { belowFloor } from '../../domain/channel/price-floor.ts';
import type { SeenAddress, SeenOrder } from '../../domain/channel/seen-order.ts';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { CaptureQueue } from '../capture/capture-queue.ts';
import { captureIntake } from '../capture/capture-intake.ts';
import type { Channel, Network } from '../network.ts';
import { cancelMember } from '../orders/cancel-member.ts';
import { changeAddress } from '../orders/change-address.ts';
import { forceLocation } from '../orders/operate/attributes.ts';
import { lockChangeable } from '../orders/operate/guard.ts';
import { payOrder } from '../orders/pay-order.ts';
import { requestRefund } from '../orders/refund-request.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Vault } from '../vault.ts';
import { cancelUnitsOf, closeAfterSale, openReturn, refundAfterSale } from './after-sale.ts';
import { toIntake, type LineMap } from './intake.ts';
import { Turns } from './turns.ts';
import { issueByPlatform } from './issue-by-platform.ts';
import { listingsOf, listingVersion, markPutBack, releaseHeld } from './listings.ts';
import { keepBack, letGo } from './keep-back.ts';
import { queueReport } from './reports.ts';
import { wakeChannels } from './wake.ts';

export type ApplyDeps = { writer: StockWriter; network: Network; vault: Vault; capture: CaptureQueue };
/** What the shop's settings say of its orders. `platformLocation`: the code of the location that stands for the platform's own warehouse. `lateCancel`: once goods have left, a cancellation changes nothing (else it asks for the money). */
export type IntakeRules = { automaticMapping: boolean; platformLocation: string | null; restores: 'never' | 'unpaid' | 'cancelled'; lateCancel?: 'refuse' };
export type Outcome = { state: 'open' | 'held' | 'ignored'; reason: string | null };

type Row = { state: 'open' | 'held' | 'ignored'; applied: Applied | null; order_id: string | null; lines: LineMap[] | null };

/** An order that cannot go on as it is; `key` names what would let it. */
class Hold extends Error {
  readonly reason: string;
  readonly key: string;
  /** of the listing that it waits for, as it was read */
  readonly version: number | null;
  constructor(reason: string, key: string, detail: string, version: number | null = null) {
    super(detail);
    this.reason = reason;
    this.key = key;
    this.version = version;
  }
}

/**
 * Brings our order to where the platform's is. States are compared, so the same one twice, or an older one later, changes nothing; killed half-way, the next reading goes on. What
 * cannot be done is held with its reason, never dropped. One order at a time, whoever asks.
 */
export async function applyOrder(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules): Promise<Outcome> {
  const { writer } = deps;
  return turnsOf(writer.pool).take(() => underLock(deps, channel, seen, rules));
}

/**
 * Each order that is applied holds a connection for its lock and needs others for its work: were all of the pool's held by locks, of many shops at once, none would ever get on. So locks
 * take a quarter of it at most, the others wait without one.
 */
const turns = new WeakMap<pg.Pool, Turns>();
function turnsOf(pool: pg.Pool): Turns {
  let own = turns.get(pool);
  if (!own) turns.set(pool, (own = new Turns(Math.max(1, Math.floor((pool.options.max ?? 10) / 4)))));
  return own;
}

async function underLock(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules): Promise<Outcome> {
  const { writer } = deps;
  const lock = await writer.pool.connect();
  try {
    await lock.query('select pg_advisory_lock(hashtext($1), hashtext($2))', [`tributary:channel-order:${channel.id}`, seen.externalId]);
    try {
      return await apply(deps, channel, seen, rules);
    } finally {
      await lock.query('select pg_advisory_unlock(hashtext($1), hashtext($2))', [`tributary:channel-order:${channel.id}`, seen.externalId]);
    }
  } finally {
    lock.release();
  }
}

async function apply(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules): Promise<Outcome> {
  const { writer } = deps;
  const now = writer.clock();
  const { rows: [row] } = await writer.pool.query<Row>({ name: 'channel_order', text: 'select state, applied, order_id, lines from channel_orders where channel_id = $1 and external_id = $2', values: [channel.id, seen.externalId] });
  const keep = (addressKey: string): string => deps.vault.hash('address', addressKey).toString('base64');
  const verdict = nextSteps(row?.applied ?? null, seen, keep);
  if (verdict.verdict === 'ignore') {
    if (verdict.reason !== 'older') await write(writer.pool, channel.id, seen.externalId, { state: 'ignored', reason: verdict.reason, detail: null, key: null }, now);
    return { state: 'ignored', reason: verdict.reason };
  }
  try {
    let known: { orderId: string; map: LineMap[] } | null = row?.order_id && row.lines ? { orderId: row.order_id, map: row.lines } : null;
    for (const step of verdict.steps) {
      if (step.do === 'capture') known = await capture(deps, channel, seen, rules, row !== undefined);
      else if (known) await take(deps, channel, seen, rules, step, known, row?.applied ?? null);
    }
    await writer.pool.query({
      name: 'channel_order_applied',
      text: `update channel_orders set state = 'open', applied = $3, hold_reason = null, hold_detail = null, hold_key = null, updated_at = $4 where channel_id = $1 and external_id = $2`,
      values: [channel.id, seen.externalId, JSON.stringify(appliedOf(seen, row?.applied ?? null, keep)), now],
    });
    return { state: 'open', reason: null };
  } catch (error) {
    const hold = error instanceof Hold ? { reason: error.reason, detail: error.message, key: error.key, version: error.version }
      : error instanceof Problem && error.code !== 'unavailable' && error.code !== 'overloaded' && error.code !== 'internal'
        ? { reason: error.code, detail: `${error.message}${error.field === null ? '' : ` (${error.field})`}`, key: `problem:${error.code}`, version: null } : null;
    if (!hold) throw error;
    await write(writer.pool, channel.id, seen.externalId, { state: 'held', ...hold }, now);
    // A mapping or a floor that was written between our reading and this hold has not seen it: nobody else would release it.
    const listing = /^listing:(.*)$/s.exec(hold.key)?.[1];
    if (listing !== undefined && await listingVersion(writer.pool, channel.id, listing) > (hold.version ?? 0)) await releaseHeld(writer.pool, deps.network, channel.id, hold.key, now);
    return { state: 'held', reason: hold.reason };
  }
}

async function write(pool: pg.Pool, channelId: number, externalId: string, to: { state: 'held' | 'ignored'; reason: string; detail: string | null; key: string | null }, now: Date): Promise<void> {
  await pool.query({
    name: 'channel_order_state',
    text: `insert into channel_orders (channel_id, external_id, state, hold_reason, hold_detail, hold_key, first_seen_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)
      on conflict (channel_id, external_id) do update set state = excluded.state, hold_reason = excluded.hold_reason, hold_detail = excluded.hold_detail, hold_key = excluded.hold_key, updated_at = excluded.updated_at`,
    values: [channelId, externalId, to.state, to.reason, to.detail?.slice(0, 1000) ?? null, to.key, now],
  });
}

/** Captures the order under its lines as we sell them; the units count as sold of their listings in the transaction that notes which order it became. */
async function capture(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules, again: boolean): Promise<{ orderId: string; map: LineMap[] }> {
  const { writer, network } = deps;
  const now = writer.clock();
  if (seen.currency !== channel.currency) throw new Hold('currency', 'currency', `the order is in ${seen.currency}, the shop in ${channel.currency}`);
  if ((seen.keptBack ?? null) !== null) throw new Hold('kept_back', 'kept_back', `the platform keeps it back: ${seen.keptBack ?? ''}`);
  if (seen.address === null) throw new Hold('no_address', 'address', 'the platform shows no receiver of this order');
  if (seen.fulfilledBy === 'platform' && rules.platformLocation === null) {
    throw new Hold('platform_location', 'platform_location', "the platform's own warehouse ships this order: name the location that stands for it (setting platformLocation)");
  }
  const listings = await listingsOf(writer.pool, network, channel.id, seen.lines, rules.automaticMapping, now);
  const unmapped = seen.lines.find((l) => (listings.get(l.platformSku)?.components.length ?? 0) === 0);
  if (unmapped) throw new Hold('unmapped_sku', `listing:${unmapped.platformSku}`, `listing ${unmapped.platformSku} (${unmapped.merchantCode ?? 'no merchant code'}) is not mapped to a SKU of ours`, listings.get(unmapped.platformSku)?.version ?? 0);
  const low = belowFloor(seen, new Map([...listings].map(([sku, l]) => [sku, l.priceFloor])));
  if (low) throw new Hold('price_below_floor', `listing:${low.platformSku}`, `a unit of listing ${low.platformSku} brings ${low.unit}, its floor is ${low.floor} (${seen.currency}, minor units): lower the floor, or cancel it on the platform`, listings.get(low.platformSku)?.version ?? 0);
  let made: ReturnType<typeof toIntake>;
  try {
    made = toIntake(channel.code, seen, listings);
  } catch (error) {
    if (error instanceof RangeError) throw new Hold('empty', 'empty', error.message);
    throw error;
  }
  await network.loadSkus(made.intake.lines.map((l) => l.sku));
  const outcome = await captureIntake({ ...deps, pool: writer.pool }, made.intake, { apiKeyId: 0, idempotencyKey: null, actor: `channel:${channel.code}`, locationId: null });
  let orderId: string | null;
  if ('problem' in outcome) {
    // Captured by an attempt that was killed before it could say so, while the platform changed the order: the steps that follow bring it up to date.
    const { rows: [known] } = outcome.problem.code === 'duplicate_with_other_body' && again
      ? await writer.pool.query<{ id: string }>('select id from orders where channel_id = $1 and external_id = $2', [channel.id, seen.externalId]) : { rows: [] };
    if (!known) throw outcome.problem;
    orderId = known.id;
  } else orderId = decodeId('ord', outcome.answer.id);
  if (orderId === null) throw new Error('unreachable: a captured order has an id');
  const id = orderId;
  await writer.change(async (tx) => {
    const fresh = await tx.query(
      `insert into channel_orders as o (channel_id, external_id, state, order_id, lines, first_seen_at, updated_at) values ($1, $2, 'open', $3, $4, $5, $5)
       on conflict (channel_id, external_id) do update set order_id = excluded.order_id, lines = excluded.lines, state = 'open', updated_at = excluded.updated_at where o.order_id is null returning 1`,
      [channel.id, seen.externalId, id, JSON.stringify(made.map), tx.now]);
    if (fresh.length > 0) await countSold(tx, channel.id, made.map.map((m) => ({ listing: m.listing, units: m.units })));
  });
  if (seen.fulfilledBy === 'platform') await writer.change((tx) => forceLocation(tx, network, id, rules.platformLocation as string, 'the platform ships it', `channel:${channel.code}`));
  return { orderId: id, map: made.map };
}

/** Adds to the units that the listings' platform has sold (less, where it has put them back). */
async function countSold(tx: { query(text: string, values: unknown[]): Promise<unknown> }, channelId: number, units: readonly { listing: string; units: number }[]): Promise<void> {
  const sums = new Map<string, number>();
  for (const u of units) sums.set(u.listing, (sums.get(u.listing) ?? 0) + u.units);
  const sorted = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
  await tx.query('update listings l set sold = sold + t.n from unnest($2::text[], $3::bigint[]) as t(s, n) where l.channel_id = $1 and l.platform_sku = t.s', [channelId, sorted.map(([s]) => s), sorted.map(([, n]) => n)]);
}

async function take(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules, step: Exclude<Step, { do: 'capture' }>, known: { orderId: string; map: LineMap[] }, before: Applied | null): Promise<void> {
  const { writer, network, vault } = deps;
  const actor = `channel:${channel.code}`;
  switch (step.do) {
    case 'pay': return payOrder(writer, known.orderId, null, actor);
    case 'change_address': await changeAddress(writer, vault, known.orderId, seen.address as SeenAddress, actor); return;
    case 'answer_address': {
      const wanted = seen.wantedAddress as SeenAddress | 'unseen';
      // What cannot be seen yet is agreed to as long as nobody works on the order; the address then comes with its next state.
      const approved = await (wanted === 'unseen' ? writer.change((tx) => lockChangeable(tx, known.orderId)) : changeAddress(writer, vault, known.orderId, wanted, actor)).then(() => true, (error: unknown) => {
        if (error instanceof Problem && error.code === 'conflict') return false;
        throw error;
      });
      return writer.change((tx) => queueReport(tx, channel, known.orderId, { kind: 'address', key: `address:${seen.externalId}:${seen.version}`, body: { externalId: seen.externalId, approved } }));
    }
    case 'cancel': {
      const wasUnpaid = before !== null && !before.paid;
      await givesUp(() => cancelMember(writer, deps.network, known.orderId, 'cancelled on the platform', actor), async () => { if (rules.lateCancel !== 'refuse') await requestRefund(writer, known.orderId, 'cancelled on the platform after goods had left', actor); });
      if (rules.restores === 'cancelled' || (rules.restores === 'unpaid' && wasUnpaid)) {
        const back = known.map.map((m) => ({ listing: m.listing, units: -(m.units - (before?.cancelled[m.lineId] ?? 0)) })).filter((m) => m.units < 0);
        await writer.change(async (tx) => {
          // Once, whoever comes again: the state that is applied with it tells.
          const marked = await tx.query(
            `update channel_orders set applied = coalesce(applied, '{}') || '{"status": "cancelled"}' where channel_id = $1 and external_id = $2 and coalesce(applied ->> 'status', '') <> 'cancelled' returning 1`, [channel.id, seen.externalId]);
          if (marked.length === 0) return;
          await countSold(tx, channel.id, back);
          await markPutBack(tx.client, channel.id, back.map((b) => b.listing), tx.now);
          await wakeChannels(tx.client, [channel.code], tx.now);
        });
      }
      return;
    }
    case 'cancel_units': return cancelUnitsOf(writer, known.orderId, step.lines, known.map, actor);
    case 'refund': return refundAfterSale(writer, known.orderId, step.afterSale, known.map, actor);
    case 'return': return openReturn(writer, known.orderId, step.afterSale, known.map, actor);
    case 'close_after_sale': return closeAfterSale(writer, known.orderId, step.afterSale, actor);
    case 'keep_back': return keepBack(writer, known.orderId, step.why, actor);
    case 'let_go': return letGo(writer, known.orderId, actor);
    case 'issue_by_platform': return issueByPlatform(writer, network, known.orderId, seen, rules.platformLocation ?? '');
  }
}

/** A conflict says that the order is past this step already. */
function ignoreConflict(error: unknown): void {
  if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
}

async function givesUp(run: () => Promise<unknown>, otherwise: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
    await otherwise().catch(ignoreConflict);
  }
}
