import type { StockAnswer, StockPush } from '../../channels/channel.ts';
import { saveChecked } from '../../db/channels/poll.ts';
import {
  changeDropped, changeRefused, changeTold, expectedFigures, forgetChanges, nextListings, prepareChanges, sellableNow, settleReading, type ListingStock, type Pending,
} from '../../db/channels/publish.ts';
import { markListing } from '../../db/channels/listings.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { backstop, drainHints } from './orders.ts';
import type { SyncContext } from './context.ts';

type ToRead = { id: number; platformSku: string; itemId: string | null };

/**
 * Tells the platform what has changed, urgent listings first, as many as one call takes. What was sent and not acknowledged comes first and as it was where the platform knows
 * keys; elsewhere its figure is read before anything else is sent. Returns how many listings were looked at.
 */
export async function publishStock(context: SyncContext): Promise<number> {
  const { connector, kind: { capabilities }, shop: { channel }, deps: { writer, network } } = context;
  const push = connector.pushStock?.bind(connector);
  const { pool } = writer;
  if (!push || capabilities.stock === 'none') {
    await forgetChanges(pool, channel.id);
    return 0;
  }
  const listings = await nextListings(pool, channel.id, capabilities.stockBatch);
  if (listings.length === 0) return 0;
  const stopped = listings.filter((l) => l.rule.mode === 'stopped');
  await changeDropped(pool, stopped);
  const open = listings.filter((l) => l.rule.mode !== 'stopped');
  // Its account must be known first: a new listing, or one of which a change may or may not have arrived.
  const unsure = connector.readStock && capabilities.countsOwnSales ? open.filter((l) => !l.opened || (l.pending !== null && capabilities.stock !== 'keyed')) : [];
  if (unsure.length > 0) {
    await settleByReading(context, unsure);
    return listings.length;
  }
  const figures = new Map<string, number>();
  if (connector.readStock && (capabilities.stock === 'compare' || (capabilities.stock === 'set' && capabilities.countsOwnSales))) {
    for (const s of await connector.readStock(open)) figures.set(s.platformSku, s.sellable);
  }
  const targets = await sellableNow(pool, network, context.projection, channel, open, writer.clock());
  const sent: { listing: ListingStock; pending: Pending }[] = [];
  const idle: ListingStock[] = [];
  const changes = await prepareChanges(pool, open.map((listing, i) => ({ listing, sellable: targets[i] ?? 0, seen: figures.get(listing.platformSku) ?? null })), uuidv7);
  for (const [i, listing] of open.entries()) {
    const pending = changes[i] ?? null;
    if (pending) sent.push({ listing, pending });
    else idle.push(listing);
  }
  await changeDropped(pool, idle);
  if (sent.length > 0) await send(context, sent, push);
  context.did();
  return listings.length;
}

async function send(context: SyncContext, sent: { listing: ListingStock; pending: Pending }[], push: (pushes: readonly StockPush[]) => Promise<StockAnswer[]>): Promise<void> {
  const { deps: { writer }, shop: { channel } } = context;
  let answers: StockAnswer[];
  try {
    answers = await push(sent.map(({ listing, pending }) => ({
      itemId: listing.itemId, platformSku: listing.platformSku, delta: pending.delta, target: pending.target, seen: pending.seen, key: pending.key,
    })));
  } catch (error) {
    // The whole call was refused: nothing of it arrived. Anything else leaves it open whether it did.
    if (!(error instanceof PartnerRefused)) throw error;
    answers = sent.map(() => ({ outcome: 'refused', reason: error.message }));
  }
  const told: typeof sent = [];
  for (const [i, entry] of sent.entries()) {
    const answer = answers[i] ?? { outcome: 'refused', reason: 'the platform did not answer for this SKU' };
    if (answer.outcome === 'done') told.push(entry);
    else if (answer.outcome === 'refused') await changeRefused(writer.pool, entry.listing, answer.reason);
    else await settleByReading(context, [entry.listing]);
  }
  await changeTold(writer.pool, channel.id, told, writer.clock());
}

const READINGS = 3;

/**
 * Learns from the platform's figure what it has been granted: read, bring in every order it has sold by then, read again. Equal figures prove that nothing was sold in between; after
 * three tries the lower one counts, which can only understate.
 */
export async function settleByReading(context: SyncContext, listings: readonly ToRead[]): Promise<void> {
  const { connector, deps: { writer }, shop: { channel } } = context;
  if (!connector.readStock) return;
  let open = [...listings];
  for (let round = 1; open.length > 0 && round <= READINGS; round++) {
    const before = new Map((await connector.readStock(open)).map((s) => [s.platformSku, s.sellable]));
    await context.alone(async () => {
      await backstop(context, writer.clock().getTime());
      await drainHints(context);
    });
    const after = new Map((await connector.readStock(open)).map((s) => [s.platformSku, s.sellable]));
    const again: ToRead[] = [];
    for (const l of open) {
      const [b, a] = [before.get(l.platformSku), after.get(l.platformSku)];
      if (b === undefined || a === undefined) await writer.pool.query(`update listings set pending = null, refused = 'the platform does not know this SKU' where id = $1`, [l.id]).then(() => writer.pool.query('delete from listing_changes where listing_id = $1', [l.id]));
      else if (a === b || round === READINGS) {
        await settleReading(writer.pool, l.id, Math.min(a, b), writer.clock());
        await markListing(writer.pool, l.id, channel.id, writer.clock(), true);
      } else again.push(l);
    }
    open = again;
  }
  context.did();
}

/** By channel: the listing up to which the check under way has come. Lost with the process, which then begins it anew. */
export type CheckCursors = Map<number, number>;

/**
 * Compares what the platform shows with what it was told, as many listings as one call takes: a check of all of them must not keep a change waiting. What differs is settled by reading and told again. Returns when
 * it is due again, and how many were looked at: more than none, and it is to go on.
 */
export async function checkFigures(context: SyncContext, everyS: number, lastAt: number | null, cursors: CheckCursors): Promise<{ due: number; looked: number }> {
  const { connector, kind: { capabilities }, deps: { writer }, shop: { channel } } = context;
  const now = writer.clock().getTime();
  const due = (lastAt ?? 0) + everyS * 1000;
  if (!connector.readStock || !capabilities.countsOwnSales || capabilities.stock === 'none') return { due: now + everyS * 1000, looked: 0 };
  if (due > now) return { due, looked: 0 };
  const part = await expectedFigures(writer.pool, channel.id, cursors.get(channel.id) ?? 0, capabilities.stockBatch);
  if (part.length === 0) {
    cursors.delete(channel.id);
    await saveChecked(writer.pool, channel.id, writer.clock());
    return { due: now + everyS * 1000, looked: 0 };
  }
  const seen = new Map((await connector.readStock(part)).map((s) => [s.platformSku, s.sellable]));
  const off = part.filter((l) => l.settled && seen.get(l.platformSku) !== l.shown);
  if (off.length > 0) await settleByReading(context, off);
  cursors.set(channel.id, part.at(-1)?.id ?? 0);
  return { due: now, looked: part.length };
}
