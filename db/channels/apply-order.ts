import { appliedBut, appliedOf, firstApplied, lastSeen, nextSteps, stepKey, type Applied, type Keep, type Step } from '../../domain/channel/next-steps.ts';
import type { SeenAddress, SeenOrder } from '../../domain/channel/seen-order.ts';
import { uncounted } from '../../domain/channel/taken.ts';
import { Problem } from '../../domain/problem.ts';
import type { Channel } from '../network.ts';
import { payOrder } from '../orders/pay-order.ts';
import { closeAfterSale, endCancelled, forgetDisputes, refundAfterSale, type Unfinished, type Wrong } from './after-sale.ts';
import { capture, captured, type ApplyDeps, type IntakeRules, type Known } from './capture-order.ts';
import { agreeToAddress, changeAddressOf } from './family-address.ts';
import { Hold, holdOf } from './hold.ts';
import type { LineMap } from './intake.ts';
import { issueByPlatform } from './issue-by-platform.ts';
import { listingVersion, releaseHeld } from './listings.ts';
import { acceptChanged, changedKey, keepBack, letGo, stopChanged } from './keep-back.ts';
import { underOrderLock } from './order-lock.ts';
import { readState, writeState, type State } from './order-state.ts';
import { queueReport } from './reports.ts';
import { reprice } from './reprice.ts';
import { openReturn } from './return-after-sale.ts';
import { countPaid, countPutBack } from './sold.ts';
import { cancelUnitsOf } from './take-off.ts';

export type { ApplyDeps, IntakeRules } from './capture-order.ts';
export type Outcome = { state: State; reason: string | null };

export const CHANGED = 'changed_on_platform';

/** Units of each of the platform's lines that our order was made with. */
function unitsOf(map: readonly LineMap[]): Map<string, number> {
  const units = new Map<string, number>();
  for (const m of map) units.set(m.lineId, (units.get(m.lineId) ?? 0) + m.units);
  return units;
}

/**
 * Brings our order to where the platform's is. States are compared, so the same one twice, or an older one later, changes nothing; killed half-way, the next reading goes on. What
 * cannot be done is held with its reason, never dropped, and stands in nobody's way: the other steps are taken. One order at a time, whoever asks.
 */
export async function applyOrder(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules): Promise<Outcome> {
  return underOrderLock(deps.writer.pool, channel.id, seen.externalId, () => apply(deps, channel, seen, rules));
}

async function apply(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules): Promise<Outcome> {
  const { writer } = deps;
  const now = writer.clock();
  const actor = `channel:${channel.code}`;
  const keep: Keep = (text) => deps.vault.hash('address', text).toString('base64');
  const row = await readState(writer.pool, channel.id, seen.externalId);
  const found = row?.order_id && row.lines ? { orderId: row.order_id, map: row.lines, applied: row.applied } : await captured(deps, channel, seen, rules, row?.begun ?? null, keep);
  let known: Known | null = found;
  let before: Applied | null = found ? found.applied : row?.applied ?? null;
  const verdict = nextSteps(before, seen, keep, known && unitsOf(known.map));
  if (verdict.verdict === 'ignore') {
    if (verdict.reason !== 'older') await writeState(writer.pool, channel.id, seen.externalId, { state: 'ignored', reason: verdict.reason, detail: null, key: null, applied: lastSeen(seen, keep) }, now);
    return { state: 'ignored', reason: verdict.reason };
  }
  const open: OpenStep[] = [];
  const asked: Step[] = [];
  for (const step of verdict.steps) {
    try {
      if (step.do === 'capture') {
        known = await capture(deps, channel, seen, rules, keep);
        before = firstApplied(seen, keep);
      } else if (known && step.do === 'hold_changed') open.push(wrongly(step, step));
      else if (known && step.do !== 'hold_changed') {
        const left = await take(deps, channel, seen, rules, step, known, before);
        if (left === 'asked') asked.push(step);
        else if (left) open.push(wrongly(step, left));
      }
    } catch (error) {
      const hold = holdOf(error);
      if (!hold) throw error;
      if (!known) return await wait(hold, lastSeen(seen, keep));
      open.push({ step, hold, stops: step.do === 'reprice', holds: [] });
    }
  }
  if (!known) throw new Error('unreachable: an order that we do not have is captured first');
  const waits = wayOut(open, seen, keep);
  // Released with its key, it is open: somebody has seen to these very changes.
  const seenTo = waits !== null && waits.seeTo && row?.state === 'open' && row.hold_key === waits.hold.key;
  const stops = seenTo ? [] : open.filter((o) => o.stops);
  if (stops.length === 0 && row?.hold_reason) {
    await acceptChanged(writer, known.orderId, actor);
    await forgetDisputes(writer, known.orderId, open.flatMap((o) => o.holds), actor);
  }
  if (waits === null || seenTo) {
    const applied = asked.length === 0 ? appliedOf(seen, before, keep) : appliedBut(asked, seen, before, keep, unitsOf(known.map));
    await writeState(writer.pool, channel.id, seen.externalId, { state: 'open', reason: null, detail: null, key: null, applied }, now);
    return { state: 'open', reason: null };
  }
  for (const { hold } of stops) await stopChanged(writer, known.orderId, hold.message, actor);
  return wait(waits.hold, appliedBut([...open.map((o) => o.step), ...asked], seen, before, keep, unitsOf(known.map)));

  async function wait(hold: Hold, applied: Applied): Promise<Outcome> {
    const { reason, message: detail, key } = hold;
    const more = known ? uncounted(seen, before?.status === 'cancelled' ? {} : before?.units ?? Object.fromEntries(unitsOf(known.map))) : uncounted(seen, {});
    await writeState(writer.pool, channel.id, seen.externalId, { state: 'held', reason, detail, key, applied }, now, more);
    // A mapping or a floor that was written between our reading and this hold has not seen it: nobody else would release it.
    const listing = /^listing:(.*)$/s.exec(key)?.[1];
    if (listing !== undefined && await listingVersion(writer.pool, channel.id, listing) > (hold.version ?? 0)) await releaseHeld(writer.pool, deps.network, channel.id, key, now);
    return { state: 'held', reason };
  }
}

/** A step that could not be taken. `stops`: our order waits for it, too. `holds`: its disputes, which are over once somebody has seen to it. */
type OpenStep = { step: Step; hold: Hold; stops: boolean; holds: readonly string[] };

const wrongly = (step: Step, { why, holds }: Wrong): OpenStep => ({ step, hold: new Hold(CHANGED, '', why), stops: true, holds: holds ?? [] });

/** What the steps that could not be taken wait for: a listing's mapping, or (`seeTo`) that somebody sees to them and says so with a key of exactly these. Null: there are none. */
function wayOut(open: readonly OpenStep[], seen: SeenOrder, keep: Keep): { hold: Hold; seeTo: boolean } | null {
  const listing = open.find(({ hold }) => hold.key.startsWith('listing:'));
  if (listing) return { hold: listing.hold, seeTo: false };
  const first = open.find(({ hold }) => hold.reason === CHANGED) ?? open[0];
  if (!first) return null;
  const key = changedKey(seen.externalId, open.map(({ step }) => stepKey(step, seen, keep)).join('\n'));
  return { hold: new Hold(first.hold.reason, key, `${open.map(({ hold }) => hold.message).join('; ')}: see to it, then release it with this key`), seeTo: true };
}

/** Takes one step. Returns what is left of it: what somebody has to see to, or what locations have been asked for. */
async function take(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules, step: Exclude<Step, { do: 'capture' | 'hold_changed' }>, known: Known, before: Applied | null): Promise<Unfinished | null | void> {
  const { writer, network, vault } = deps;
  const actor = `channel:${channel.code}`;
  const heard = { ...known, seen, actor };
  // Before its units are freed here, as of cancelled ones.
  const countRestocked = async (): Promise<void> => {
    const back = new Map(seen.lines.flatMap((l) => (l.putBack === undefined ? [] : [[l.lineId, l.putBack] as const])));
    if (back.size > 0) await writer.change((tx) => countPutBack(tx, channel, seen.externalId, back, false));
  };
  switch (step.do) {
    case 'reprice': return reprice(deps, channel, seen, known, actor);
    case 'pay':
      await writer.change((tx) => countPaid(tx, channel.id, seen));
      return payOrder(writer, network, known.orderId, null, actor);
    case 'change_address': return changeAddressOf(writer, network, vault, known.orderId, seen.address as SeenAddress, actor);
    case 'answer_address': {
      const wanted = seen.wantedAddress as SeenAddress | 'unseen';
      // What cannot be seen yet is agreed to as long as nobody works on the order; the address then comes with its next state.
      const approved = await agreeToAddress(writer, network, vault, known.orderId, wanted === 'unseen' ? null : wanted, actor).then(() => true, (error: unknown) => {
        if (error instanceof Problem && error.code === 'conflict') return false;
        throw error;
      });
      return writer.change((tx) => queueReport(tx, channel, known.orderId, { kind: 'address', key: `address:${seen.externalId}:${seen.version}`, body: { externalId: seen.externalId, approved } }));
    }
    case 'cancel': {
      const wasUnpaid = before !== null && !before.paid;
      const left = await endCancelled(writer, network, heard, rules.lateCancel, [...Object.keys(before?.afterSales ?? {}), ...seen.afterSales.map((a) => a.id)]);
      if (left) return left;
      await countRestocked();
      if (seen.putBack ?? (rules.restores === 'cancelled' || (rules.restores === 'unpaid' && wasUnpaid))) {
        await writer.change(async (tx) => {
          // Once, whoever comes again: the state that is applied with it tells.
          const marked = await tx.query(
            `update channel_orders set applied = coalesce(applied, '{}') || '{"status": "cancelled"}' where channel_id = $1 and external_id = $2 and coalesce(applied ->> 'status', '') <> 'cancelled' returning 1`, [channel.id, seen.externalId]);
          if (marked.length === 0) return;
          await countPutBack(tx, channel, seen.externalId, new Map(known.map.map((m) => [m.lineId, before?.units?.[m.lineId] ?? m.units - (before?.cancelled[m.lineId] ?? 0)])), true);
        });
      }
      return;
    }
    case 'cancel_units':
      // Before they are freed here: told in between, it is too little for a moment, never twice.
      if (rules.restores === 'cancelled') await writer.change((tx) => countPutBack(tx, channel, seen.externalId, new Map(step.lines.map((l) => [l.lineId, l.cancelled])), false));
      return await cancelUnitsOf(writer, known.orderId, step.lines, known.map, actor) > 0 ? 'asked' : null;
    case 'refund':
      await countRestocked();
      return refundAfterSale(writer, network, heard, step.afterSale);
    case 'return': return openReturn(writer, heard, step.afterSale);
    case 'close_after_sale': return closeAfterSale(writer, heard, step.afterSale);
    case 'keep_back': return keepBack(writer, known.orderId, step.why, actor);
    case 'let_go': return letGo(writer, known.orderId, actor);
    case 'issue_by_platform': return issueByPlatform(writer, network, known.orderId, seen, rules.platformLocation ?? '');
  }
}
