import type { Capabilities, SeenStock } from '../../channels/channel.ts';
import { GIVEN_UP_S, lastHint, unreadOrders } from '../../db/channels/hints.ts';
import { pollState } from '../../db/channels/poll.ts';
import { keepReadings, keptReadings, listingUnknown, oldestReading, settleReading, type Figure } from '../../db/channels/readings.ts';
import { backstop, readHints } from './orders.ts';
import type { SyncContext } from './context.ts';

type ToRead = { id: number; platformSku: string; itemId: string | null };

/** What a platform's reading says of the account: units held for orders that it does not show us count as there, they are sold when their orders come. */
export const figureOf = (capabilities: Capabilities, seen: SeenStock): number => seen.sellable + (capabilities.showsUnpaid === false ? seen.held ?? 0 : 0);

async function figuresOf(context: SyncContext, listings: readonly ToRead[]): Promise<Figure[]> {
  const { connector, kind: { capabilities }, deps: { writer } } = context;
  const seen = new Map((await connector.readStock?.(listings) ?? []).map((s) => [s.platformSku, s]));
  const figures: Figure[] = [];
  for (const { id, platformSku } of listings) {
    const s = seen.get(platformSku);
    if (s) figures.push({ id, sellable: s.sellable, figure: figureOf(capabilities, s) });
    else await listingUnknown(writer.pool, id);
  }
  return figures;
}

/** Reads figures that an account is to be learnt from, and keeps them until they are proven: what the platform sold before is on its way to us, and must not be given back. Returns what is shown, by listing. */
export async function readFigures(context: SyncContext, listings: readonly ToRead[]): Promise<Map<number, number>> {
  const figures = await figuresOf(context, listings);
  await keepReadings(context.deps.writer.pool, figures, context.deps.writer.clock());
  context.did();
  return new Map(figures.map((f) => [f.id, f.sellable]));
}

/** What cannot be proven yet, with nothing to say when it can, is tried again after so long. */
const AGAIN_MS = 5_000;
/** With more orders than this to be read first, others do that. */
const BACKLOG = 200;

/**
 * Learns accounts from the figures that were kept: once the platform has listed every order from before a reading, and all of them are taken, it is read again, and what both say is the account. Returns how many were
 * looked at, and when the next reading is due, ms since epoch. `failed`: the platform's list of orders did, which is noted; nothing is proven by it, and it is not to be asked again in this look. `behind`: more orders than BACKLOG are to be read first.
 */
export async function settleReadings(context: SyncContext): Promise<{ looked: number; due: number | null; failed: boolean; behind: boolean }> {
  const { connector, kind, deps: { writer }, shop: { channel } } = context;
  const { pool } = writer;
  const nothing = { looked: 0, failed: false, behind: false };
  if (!connector.readStock) return { ...nothing, due: null };
  const now = writer.clock().getTime();
  const lagMs = kind.backstop.lagS * 1000;
  const oldest = await oldestReading(pool, channel.id);
  if (oldest === null || oldest + lagMs > now) return { ...nothing, due: oldest === null ? null : oldest + lagMs };
  const kept = await keptReadings(pool, channel.id, new Date(now - lagMs), kind.capabilities.stockBatch, kind.capabilities.stock === 'keyed');
  const last = kept.at(-1);
  if (!last) return { ...nothing, due: now + AGAIN_MS };
  const orders = await allTaken(context, last.at);
  if (orders !== 'taken') return { ...nothing, due: orders === 'failed' ? null : now + AGAIN_MS, failed: orders === 'failed', behind: orders === 'behind' };
  // Units that are missing may be those of orders that nobody can see: unpaid ones, and such as were given up.
  const { givenUp } = await unreadOrders(pool, channel.id, Number.MAX_SAFE_INTEGER, writer.clock());
  const hiddenS = Math.max(kind.capabilities.showsUnpaid === false ? kind.unpaidS ?? 0 : 0, givenUp > 0 ? GIVEN_UP_S : 0);
  const hidden = hiddenS === 0 ? null : hiddenS * 1000;
  // Counted before it is read again: what is captured meanwhile may or may not be off that figure.
  const due = await keptReadings(pool, channel.id, new Date(last.at), kind.capabilities.stockBatch, kind.capabilities.stock === 'keyed');
  const counted = new Map(due.map((k) => [k.id, k.counted]));
  for (const figure of await figuresOf(context, due)) await settleReading(pool, channel.id, figure, counted.get(figure.id) ?? 0, hidden, writer.clock());
  context.did();
  return { ...nothing, looked: kept.length, due: null };
}

/**
 * Whether every order from before then is taken: the platform has listed it, and it was captured, or is held with its units known. It `waits` while one of them is to be tried again, and once the look is over; `behind`:
 * there are very many of them; `failed`: the list did.
 */
async function allTaken(context: SyncContext, then: number): Promise<'taken' | 'waits' | 'behind' | 'failed'> {
  const { deps: { writer }, shop: { channel } } = context;
  const { pool } = writer;
  const unread = async (upTo: number): Promise<{ due: number; postponed: number }> => unreadOrders(pool, channel.id, upTo, writer.clock());
  const before = await unread(Number.MAX_SAFE_INTEGER);
  if (before.due > BACKLOG) return 'behind';
  if (before.postponed > 0) return 'waits';
  if ((await pollState(pool, channel.id)).until < then) {
    try {
      await context.alone(() => backstop(context, writer.clock().getTime()));
    } catch (error) {
      // No proof without it; that is no reason to tell the platform nothing.
      if (!context.failed(error)) throw error;
      return 'failed';
    }
  }
  if ((await pollState(pool, channel.id)).until < then) return 'waits';
  // What comes from here on is of later, or was listed as well: a shop that never stops selling must not wait for ever.
  const upTo = await lastHint(pool, channel.id);
  for (;;) {
    if (context.over()) return 'waits';
    const left = await unread(upTo);
    if (left.postponed > 0) return 'waits';
    if (left.due === 0) return 'taken';
    await context.alone(() => readHints(context));
  }
}
