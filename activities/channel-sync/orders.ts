import { applyOrder } from '../../db/channels/apply-order.ts';
import { holdGone, holdRefused } from '../../db/channels/unseen.ts';
import { dueHints, hintsDone, hintsPostponed, hintsRefused, storeHints, type DueHint } from '../../db/channels/hints.ts';
import { markPlatformSku } from '../../db/channels/listings.ts';
import { pollState, savePoll } from '../../db/channels/poll.ts';
import { isPrivacyTask, privacyTaskDone, takePrivacyRequest } from '../../db/channels/privacy.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { inParallel, outsideFault, type SyncContext } from './context.ts';

const AT_ONCE = 8;
const BATCH = 100;

/** Reads what was pointed at and brings our orders to where the platform's are. Different orders at once, one order's hints as one. Returns how many were read. */
export async function readHints(context: SyncContext): Promise<number> {
  const { deps: { writer }, shop } = context;
  const due = await dueHints(writer.pool, shop.channel.id, writer.clock(), BATCH);
  await inParallel(due, AT_ONCE, async (hint) => { if (!context.over()) await readHint(context, hint); });
  return due.length;
}

async function readHint(context: SyncContext, hint: DueHint): Promise<void> {
  const { deps: { writer } } = context;
  try {
    await read(context, hint);
    await hintsDone(writer.pool, hint.ids, writer.clock());
    context.did();
  } catch (error) {
    const fault = outsideFault(error);
    if (fault?.refused === 'this') return hintsRefused(writer.pool, context.shop.channel.id, hint, writer.clock(), fault.text);
    // Ours, too, must not stand in the way of other orders; it is tried again, with its reason, and shows in the shop's list of what waits.
    await hintsPostponed(writer.pool, hint.ids, writer.clock(), fault?.text ?? `${(error as Error).name}: ${(error as Error).message}`, fault?.retryAfterMs ?? null);
  }
}

async function read(context: SyncContext, hint: DueHint): Promise<void> {
  const { connector, shop, deps: { writer } } = context;
  if (hint.subject === 'stock' || hint.subject === 'product') return markPlatformSku(writer.pool, shop.channel.id, hint.externalId, writer.clock());
  if (hint.subject === 'privacy') return takePrivacyRequest(writer, context.deps.vault, shop.channel, hint.topics, hint.externalId);
  if (isPrivacyTask(hint.externalId)) return privacyTaskDone(writer.pool, shop.channel.id, hint.externalId, writer.clock());
  let externalId: string | null = hint.externalId;
  if (hint.subject === 'after_sale') externalId = (await connector.orderOfAfterSale?.(hint.externalId)) ?? null;
  else if (hint.subject !== 'order') return;
  if (externalId === null) return;
  const seen = await fetch(context, externalId, hint.topics);
  if (!seen) {
    if (context.kind.capabilities.tellsGone) await holdGone(writer, shop.channel, externalId);
    return;
  }
  const { state } = await applyOrder(context.apply, shop.channel, seen, context.rules);
  await connector.orderTaken?.(externalId, state);
}

/** What the platform refuses to show of one order is for somebody to see. */
async function fetch({ connector, shop, deps: { writer } }: SyncContext, externalId: string, topics: readonly string[]): ReturnType<SyncContext['connector']['fetchOrder']> {
  try {
    return await connector.fetchOrder(externalId, topics);
  } catch (error) {
    const fault = outsideFault(error);
    if (fault?.refused === 'this') await holdRefused(writer, shop.channel.id, externalId, fault.text);
    throw error;
  }
}

const QUEUE_EVERY_S = 10;

/** Takes what waits in the platform's queue; confirmed once it is on the disk, so that a worker that dies between takes it again. Returns how much that was, and when it is due again, ms since epoch. */
export async function takeMessages(context: SyncContext): Promise<{ taken: number; due: number } | null> {
  const { deps: { writer }, connector, shop: { channel, settings }, kind: { capabilities, queueEveryS } } = context;
  if (capabilities.push !== 'queue' || !connector.takeMessages) return null;
  const own = settings['queueEveryS'];
  let all = 0;
  for (let more = true; more && !context.over();) {
    const taken = await connector.takeMessages();
    await storeHints(writer.pool, taken.hints.map((h) => ({ ...h, channelId: channel.id, channelCode: channel.code })), 'push', writer.clock());
    await taken.confirm();
    if (taken.hints.length > 0) context.did();
    all += taken.hints.length;
    more = taken.more;
  }
  return { taken: all, due: writer.clock().getTime() + (typeof own === 'number' ? own : queueEveryS ?? QUEUE_EVERY_S) * 1000 };
}

/**
 * The poll that backs up lost pushes: orders changed since the last one, a window after the other, each a little over the one before. What it finds becomes hints; those known by
 * their version cost nothing. `until`: how far to go, ms since epoch; null: as far as the platform lists. Returns when it is due again.
 */
export async function backstop(context: SyncContext, until: number | null = null): Promise<number> {
  const { deps: { writer }, connector, shop: { channel }, kind: { backstop: plan } } = context;
  const state = await pollState(writer.pool, channel.id);
  const now = writer.clock().getTime();
  const due = state.polledAt === null ? now : state.polledAt + plan.everyS * 1000;
  if (until === null && due > now && state.window === null) return due;
  const end = Math.min(until ?? Number.MAX_SAFE_INTEGER, now - plan.lagS * 1000);
  let known = state.until;
  let window = state.window;
  let anew = false;
  for (;;) {
    if (!window) {
      if (known >= end) break;
      window = { from: Math.max(0, known - plan.overlapS * 1000), to: Math.min(end, known + plan.windowS * 1000 - plan.overlapS * 1000), page: null };
    }
    if (context.over()) return now;
    let found: Awaited<ReturnType<typeof connector.changedOrders>>;
    try {
      found = await connector.changedOrders(window, window.page);
    } catch (error) {
      // A cursor does not live for ever, on the platform: the window is begun anew, once a look; what it named is known.
      if (!(error instanceof PartnerRefused) || error.account || window.page === null || anew) throw error;
      anew = true;
      window = { ...window, page: null };
      await savePoll(writer.pool, channel.id, window, null, writer.clock());
      continue;
    }
    const { orders, next } = found;
    await storeHints(writer.pool, orders.map((o) => ({
      channelId: channel.id, channelCode: channel.code, subject: 'order', topic: 'poll', externalId: o.externalId, version: o.version,
      key: `poll:${o.externalId}:${o.version ?? `${window?.to ?? 0}`}`,
    })), 'poll', writer.clock());
    if (next !== null) {
      window = { ...window, page: next };
      await savePoll(writer.pool, channel.id, window, null, writer.clock());
    } else {
      known = window.to;
      window = null;
      await savePoll(writer.pool, channel.id, null, known, writer.clock());
    }
  }
  return now + plan.everyS * 1000;
}
