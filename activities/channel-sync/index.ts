import { Context } from '@temporalio/activity';
import { nextDue, pollState } from '../../db/channels/poll.ts';
import { endPause, pausedLanes, pauseLane, retryRefused } from '../../db/channels/refusals.ts';
import type { ActivityDeps } from '../deps.ts';
import { oneAtATime, outsideFault, rulesOf, type SyncContext } from './context.ts';
import { sideBySide } from './lanes.ts';
import { backstop, readHints, takeMessages } from './orders.ts';
import { sendReports } from './reports.ts';
import { ShopSessions } from './session.ts';
import { settleReadings } from './settle.ts';
import { checkFigures, publishStock, readUnknown, type CheckCursors } from './stock.ts';

/** How long one look lasts at most, ms: a busy shop is looked at again at once. */
const LOOK_MS = 45_000;
const HEARTBEAT_MS = 2_000;
const CHECK_EVERY_S = 3_600;
const PAUSE_MS = 5_000;

/** `nextLook`: when there will be something to do without anybody saying so, ISO 8601; null: the channel has no shop to look after. `fault`: what the platform last failed with. */
export type SyncFacts = { nextLook: string | null; busy: boolean; fault: string | null };

/** The steps of `channel-sync/<channel>`. */
export function createChannelSync(deps: ActivityDeps) {
  const sessions = new ShopSessions(deps);
  const checks: CheckCursors = new Map();
  return {
    /** One look at a shop: orders in, stock and reports out, side by side, until nothing is left or the look is over. Killed half-way, the next one goes on. */
    async syncChannel(ref: { channel: string }): Promise<SyncFacts> {
      const session = await sessions.of(ref.channel);
      const { projection } = deps.writer;
      if (!session || !projection) return { nextLook: null, busy: false, fault: null };
      const current = Context.current();
      const began = performance.now();
      let done = 0;
      const beat = setInterval(() => { current.heartbeat(done); }, HEARTBEAT_MS);
      const every = session.shop.settings['checkEveryS'];
      const due = new Map<string, number>();
      const faults: string[] = [];
      const failed = (error: unknown): boolean => {
        const fault = outsideFault(error);
        if (!fault) return false;
        faults.push(fault.text);
        due.set('fault', Math.min(due.get('fault') ?? Number.POSITIVE_INFINITY, deps.writer.clock().getTime() + (fault.retryAfterMs ?? PAUSE_MS)));
        return true;
      };
      const context: SyncContext = {
        ...session, deps, projection, rules: rulesOf(session), apply: { writer: deps.writer, network: deps.network, vault: deps.vault, capture: deps.capture }, alone: oneAtATime(), setting: session.kind.capabilities.stock === 'set' ? oneAtATime() : (run) => run(), failed, lowered: new Set(),
        over: () => performance.now() - began > LOOK_MS || current.cancellationSignal.aborted, did: () => { done += 1; },
      };
      // By turns, one batch each: however many orders keep coming, the poll and the proof of a reading have their time, and a poll that fails keeps no order back.
      const hints = (): Promise<number> => context.alone(() => readHints(context));
      const poll = async (): Promise<number> => {
        due.set('poll', await context.alone(() => backstop(context)));
        return hints();
      };
      const paused = await pausedLanes(deps.writer.pool, session.shop.channel.id);
      // A lane whose account the platform refuses waits: what is asked meanwhile would be refused, too, and is kept.
      const unlessPaused = (lane: string, run: () => Promise<number>) => async (): Promise<number> => {
        const pause = paused.get(lane);
        const now = deps.writer.clock().getTime();
        if (pause && pause.until > now) {
          due.set(`${lane} paused`, pause.until);
          return 0;
        }
        try {
          const done = await run();
          if (paused.delete(lane)) await endPause(deps.writer.pool, session.shop.channel.id, lane);
          return done;
        } catch (error) {
          const fault = outsideFault(error);
          if (fault?.refused === 'account') {
            const made = { reason: fault.text, since: pause?.since ?? now, until: now + (fault.retryAfterMs ?? PAUSE_MS) };
            paused.set(lane, made);
            await pauseLane(deps.writer.pool, session.shop.channel.id, lane, made, session.shop.updatedAt);
          }
          throw error;
        }
      };
      const messages = async (): Promise<number> => {
        if ((due.get('queue') ?? 0) > deps.writer.clock().getTime()) return 0;
        const found = await takeMessages(context);
        if (!found) return 0;
        due.set('queue', found.due);
        return found.taken + await hints();
      };
      const everyS = typeof every === 'number' ? every : CHECK_EVERY_S;
      const tell = async (retriedAt: number | null): Promise<number> => {
        if (deps.writer.clock().getTime() >= (retriedAt ?? 0) + everyS * 1000) await retryRefused(deps.writer.pool, session.shop.channel.id, deps.writer.clock());
        return publishStock(context);
      };
      let unlisted = false;
      let behind = false;
      const settle = async (): Promise<number> => {
        // While very many orders are to be read first nothing can be proven: they are counted every few seconds, not every turn.
        if (behind && (due.get('settle') ?? 0) > deps.writer.clock().getTime()) return 0;
        const settled = unlisted ? { looked: 0, due: null, failed: true, behind: false } : await settleReadings(context);
        ({ failed: unlisted, behind } = settled);
        if (settled.due === null) due.delete('settle');
        else due.set('settle', settled.due);
        return settled.looked;
      };
      // What has changed is told before the next few figures are checked; only a check that has waited for all its time comes in between.
      const prove = async (told: number, checkedAt: number | null): Promise<number> => {
        const read = await readUnknown(context);
        const looked = read + await settle();
        if (context.over()) return looked;
        if (told + looked > 0 && deps.writer.clock().getTime() < (checkedAt ?? 0) + 2 * everyS * 1000) return looked;
        const checked = await checkFigures(context, everyS, checkedAt, checks);
        due.set('check', checked.due);
        return looked + checked.looked;
      };
      // What has changed goes first: the proof of a reading may have many orders to read. Each has its turn, and its pause: figures that may not be read keep no change back, nor does a change that fails keep readings from their proof.
      const stock = async (): Promise<number> => {
        const { checkedAt, retriedAt } = await pollState(deps.writer.pool, session.shop.channel.id);
        let told = 0;
        let fault: Error | null = null;
        try {
          told = await unlessPaused('stock', () => tell(retriedAt))();
        } catch (error) {
          if (!(error instanceof Error && outsideFault(error))) throw error;
          fault = error;
        }
        const proven = paused.has('stock') ? 0 : await unlessPaused('figures', () => prove(told, checkedAt))();
        if (fault !== null) throw fault;
        return told + proven;
      };
      try {
        await sideBySide([unlessPaused('messages', messages), hints, poll, stock, unlessPaused('reports', () => sendReports(context))], context.over, failed);
      } finally {
        clearInterval(beat);
      }
      current.cancellationSignal.throwIfAborted();
      const waiting = await nextDue(deps.writer.pool, session.shop.channel.id, paused.get('reports')?.until ?? 0);
      return { nextLook: new Date(Math.min(...due.values(), waiting ?? Number.POSITIVE_INFINITY)).toISOString(), busy: context.over(), fault: faults[0] ?? null };
    },
  };
}
