import type { SeenStock, StockAnswer, StockPush } from '../../channels/channel.ts';
import { changeDropped, writeChanges, changeRefused, changeStale, changeTold, type ListingStock, type Pending } from '../../db/channels/publish.ts';
import { looseOf, lowerInstead } from '../../domain/channel/lowering.ts';
import { PartnerRefused } from '../../domain/http-port.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { SyncContext } from './context.ts';
import { readFigures } from './settle.ts';

export type Sent = { listing: ListingStock; pending: Pending };
export type Refused = Sent & { reason: string };
export type Push = (pushes: readonly StockPush[]) => Promise<StockAnswer[]>;

/** What the platform says to changes, in their order. Throws where nobody knows whether they arrived, and for a refused account: that says nothing of these listings, they wait. */
export async function answersTo(sent: readonly Sent[], push: Push): Promise<StockAnswer[]> {
  try {
    return await push(sent.map(({ listing, pending }) => ({
      itemId: listing.itemId, platformSku: listing.platformSku, delta: pending.delta, target: pending.target, seen: pending.seen, key: pending.key,
    })));
  } catch (error) {
    // The whole call was refused: nothing of it arrived.
    if (!(error instanceof PartnerRefused) || error.account) throw error;
    return sent.map(() => ({ outcome: 'refused', reason: error.message }));
  }
}

/**
 * A decrease that was refused because less than that is there any more (it was sold, on its way to us, or somebody has lowered it) takes off what is there: nothing else would end the sale of units that do not exist. What
 * lies where it cannot be taken (a campaign) stays, with the refusal. Any other refusal is kept as it is.
 */
export async function takeWhatIsThere(context: SyncContext, refused: readonly Refused[], push: Push): Promise<void> {
  const { deps: { writer }, shop: { channel }, kind: { capabilities } } = context;
  const { pool } = writer;
  const lowered = capabilities.stock === 'keyed' || capabilities.stock === 'blind' ? refused.filter((r) => r.pending.delta < 0) : [];
  const seen = lowered.length === 0 ? new Map<string, SeenStock>() : await figuresOf(context, lowered);
  const less: (Refused & { all: boolean })[] = [];
  for (const r of refused) {
    const instead = lowerInstead(-r.pending.delta, seen.get(r.listing.platformSku));
    if (instead === 'refused') await changeRefused(pool, r.listing, r.reason);
    else if (instead === 'nothing') await changeDropped(pool, [r.listing], true);
    else less.push({ ...r, all: instead.all, pending: { ...r.pending, key: uuidv7(), delta: instead.delta, target: instead.target, seen: null } });
  }
  if (less.length === 0) return;
  await writeChanges(pool, less);
  const answers = await answersTo(less, push);
  await changeTold(pool, channel.id, less.filter((_, i) => answers[i]?.outcome === 'done'), writer.clock());
  for (const [i, entry] of less.entries()) {
    const answer = answers[i];
    if (answer?.outcome === 'refused') {
      // Sold meanwhile: with what is left it is tried again. Else the platform does not want it lowered at all.
      const there = (await figuresOf(context, [entry])).get(entry.listing.platformSku);
      if (there && looseOf(there) < -entry.pending.delta) await changeStale(pool, entry.listing, entry.pending);
      else await changeRefused(pool, entry.listing, answer.reason);
      continue;
    }
    if (answer?.outcome === 'done' && !entry.all) await changeRefused(pool, entry.listing, entry.reason);
    // Was it sold, or lowered there? The next reading that is proven says so.
    await readFigures(context, [entry.listing]);
  }
}

async function figuresOf({ connector }: SyncContext, refused: readonly Refused[]): Promise<Map<string, SeenStock>> {
  try {
    return new Map((await connector.readStock?.(refused.map((r) => r.listing)) ?? []).map((s) => [s.platformSku, s]));
  } catch (error) {
    if (!(error instanceof PartnerRefused) || error.account) throw error;
    return new Map();
  }
}
