import { saveChecked } from '../../db/channels/poll.ts';
import { changeDropped, changeStale, changeTold, forgetChanges, nextListings, prepareChanges, sellableNow, unsureListings, type ListingStock } from '../../db/channels/publish.ts';
import { assumeLeast, expectedFigures, keepReadings, noteSeen, nothingShort } from '../../db/channels/readings.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { answersTo, takeWhatIsThere, type Push, type Refused, type Sent } from './send.ts';
import { figureOf, readFigures } from './settle.ts';
import type { SyncContext } from './context.ts';

/**
 * Tells the platform what has changed, urgent listings first, as many as one call takes, those whose account is known. What was sent and not acknowledged comes first and as it was where the platform knows
 * keys; elsewhere its figure is read before anything else is sent (`readUnknown`). Returns how many listings were looked at.
 */
export async function publishStock(context: SyncContext): Promise<number> {
  const { connector, kind: { capabilities }, shop: { channel }, deps: { writer: { pool } } } = context;
  const push = connector.pushStock?.bind(connector);
  if (!push || capabilities.stock === 'none') {
    await forgetChanges(pool, channel.id);
    return 0;
  }
  const listings = await nextListings(pool, channel.id, capabilities.stockBatch, capabilities.stock === 'keyed', learns(context) ? 'known' : 'all');
  if (listings.length === 0) return 0;
  const open = await withoutStopped(context, listings);
  await context.setting(() => tellOpen(context, open, push));
  context.did();
  return listings.length;
}

async function tellOpen(context: SyncContext, open: readonly ListingStock[], push: Push): Promise<void> {
  const { connector, kind: { capabilities }, shop: { channel }, deps: { writer, network } } = context;
  const { pool } = writer;
  const figures = new Map<string, number>();
  if (connector.readStock && (capabilities.stock === 'compare' || (capabilities.stock === 'set' && capabilities.countsOwnSales))) {
    for (const s of await connector.readStock(open)) figures.set(s.platformSku, s.sellable);
  }
  const targets = await sellableNow(pool, network, context.projection, channel, open, writer.clock());
  const sent: Sent[] = [];
  const idle: ListingStock[] = [];
  const changes = await prepareChanges(pool, open.map((listing, i) => ({ listing, sellable: targets[i] ?? 0, seen: figures.get(listing.platformSku) ?? null })), uuidv7);
  for (const [i, listing] of open.entries()) {
    const pending = changes[i] ?? null;
    if (pending) sent.push({ listing, pending });
    else idle.push(listing);
  }
  await changeDropped(pool, idle);
  if (sent.length > 0) await send(context, sent, push);
}

/** Accounts are learnt by reading: of new listings, and of those of which a change may or may not have arrived. */
const learns = ({ connector, kind: { capabilities } }: SyncContext): boolean => connector.readStock !== undefined && connector.pushStock !== undefined && capabilities.countsOwnSales && capabilities.stock !== 'none';

/** Of those that are stopped nothing is told. */
async function withoutStopped({ deps: { writer } }: SyncContext, listings: readonly ListingStock[]): Promise<ListingStock[]> {
  await changeDropped(writer.pool, listings.filter((l) => l.rule.mode === 'stopped'));
  return listings.filter((l) => l.rule.mode !== 'stopped');
}

/** Reads the figures of listings that have changed and whose account must be known first, as many as one call takes. What of them shows too much is lowered next. Returns how many were looked at. */
export async function readUnknown(context: SyncContext): Promise<number> {
  const { kind: { capabilities }, shop: { channel }, deps: { writer } } = context;
  if (!learns(context)) return 0;
  const keyed = capabilities.stock === 'keyed';
  const unknown = await nextListings(writer.pool, channel.id, capabilities.stockBatch, keyed, 'unknown');
  const open = await withoutStopped(context, unknown);
  const shown = open.length === 0 ? new Map<number, number>() : await readFigures(context, open);
  return unknown.length + (keyed ? 0 : await lowerUnsure(context, shown));
}

/**
 * A change of these may or may not have arrived, so they wait for the proof of a reading; stock goes on moving meanwhile. Where the platform may show more than may be sold it is read, unless it just was (`shown`, by
 * listing), and where it does that is told at once (`assumeLeast`): once a look, for nothing says that the next answer is not lost as well. Returns how many were looked at.
 */
async function lowerUnsure(context: SyncContext, shown: ReadonlyMap<number, number>): Promise<number> {
  const { connector, kind: { capabilities }, shop: { channel }, deps: { writer, network } } = context;
  const { pool } = writer;
  const unsure = (await unsureListings(pool, channel.id)).filter((l) => l.rule.mode !== 'stopped' && !context.lowered.has(l.id));
  if (unsure.length === 0) return 0;
  const sellable = await sellableNow(pool, network, context.projection, channel, unsure, writer.clock());
  const over = unsure.map((listing, i) => ({ listing, sellable: sellable[i] ?? 0 })).filter((o) => o.listing.most > o.sellable).slice(0, capabilities.stockBatch);
  const toRead = over.map((o) => o.listing).filter((l) => !shown.has(l.id));
  const read = new Map((toRead.length === 0 ? [] : await connector.readStock?.(toRead) ?? []).map((s) => [s.platformSku, s.sellable]));
  const seen = new Map(toRead.flatMap((l) => { const s = read.get(l.platformSku); return s === undefined ? [] : [[l.id, s] as const]; }));
  await noteSeen(pool, seen);
  // One that cannot be read counts as the worst.
  const lower = over.filter((o) => (shown.get(o.listing.id) ?? seen.get(o.listing.id) ?? o.listing.most) > o.sellable).map((o) => o.listing.id);
  await assumeLeast(pool, lower);
  for (const id of lower) context.lowered.add(id);
  return over.length;
}

async function send(context: SyncContext, sent: readonly Sent[], push: Push): Promise<void> {
  const { deps: { writer }, shop: { channel }, kind: { capabilities } } = context;
  const answers = await answersTo(sent, push);
  await changeTold(writer.pool, channel.id, sent.filter((_, i) => answers[i]?.outcome === 'done'), writer.clock());
  const refused: Refused[] = [];
  for (const [i, entry] of sent.entries()) {
    const answer = answers[i] ?? { outcome: 'refused', reason: 'the platform did not answer for this SKU' };
    if (answer.outcome === 'refused') refused.push({ ...entry, reason: answer.reason });
    // Set under comparison nothing was done; of a difference nobody knows how much was.
    else if (answer.outcome === 'stale' && capabilities.stock === 'compare') await changeStale(writer.pool, entry.listing, entry.pending);
    else if (answer.outcome === 'stale') await readFigures(context, [entry.listing]);
  }
  await takeWhatIsThere(context, refused, push);
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
  const seen = new Map((await connector.readStock(part)).map((s) => [s.platformSku, s]));
  const read = part.filter((l) => l.settled).flatMap((l) => { const s = seen.get(l.platformSku); return s === undefined ? [] : [{ ...l, sellable: s.sellable, expected: l.figure, figure: figureOf(capabilities, s) }]; });
  await nothingShort(writer.pool, read.filter((l) => l.short && l.figure === l.expected).map((l) => l.id));
  await keepReadings(writer.pool, read.filter((l) => l.figure !== l.expected), writer.clock());
  cursors.set(channel.id, part.at(-1)?.id ?? 0);
  return { due: now, looked: part.length };
}
