import { Context } from '@temporalio/activity';
import { pollState } from '../../db/channels/poll.ts';
import type { ActivityDeps } from '../deps.ts';
import { oneAtATime, outsideFault, rulesOf, type SyncContext } from './context.ts';
import { sideBySide } from './lanes.ts';
import { backstop, drainHints, takeMessages } from './orders.ts';
import { sendReports } from './reports.ts';
import { ShopSessions } from './session.ts';
import { checkFigures, publishStock, type CheckCursors } from './stock.ts';

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
      const context: SyncContext = {
        ...session, deps, projection, rules: rulesOf(session), apply: { writer: deps.writer, network: deps.network, vault: deps.vault, capture: deps.capture }, alone: oneAtATime(),
        over: () => performance.now() - began > LOOK_MS || current.cancellationSignal.aborted, did: () => { done += 1; },
      };
      const every = session.shop.settings['checkEveryS'];
      const due = new Map<string, number>();
      const faults: string[] = [];
      const orders = (): Promise<number> => context.alone(async () => {
        const heard = await drainHints(context);
        due.set('poll', await backstop(context));
        return heard + await drainHints(context);
      });
      const messages = async (): Promise<number> => {
        if ((due.get('queue') ?? 0) > deps.writer.clock().getTime()) return 0;
        const found = await takeMessages(context);
        if (!found) return 0;
        due.set('queue', found.due);
        return found.taken + await context.alone(() => drainHints(context));
      };
      const everyS = typeof every === 'number' ? every : CHECK_EVERY_S;
      // What has changed is told before the next few figures are checked; only a check that has waited for all its time comes in between.
      const stock = async (): Promise<number> => {
        const told = await publishStock(context);
        if (context.over()) return told;
        const { checkedAt } = await pollState(deps.writer.pool, session.shop.channel.id);
        if (told > 0 && deps.writer.clock().getTime() < (checkedAt ?? 0) + 2 * everyS * 1000) return told;
        const { due: next, looked } = await checkFigures(context, everyS, checkedAt, checks);
        due.set('check', next);
        return told + looked;
      };
      try {
        await sideBySide([messages, orders, stock, () => sendReports(context)], context.over, (error) => {
          const fault = outsideFault(error);
          if (!fault) return false;
          faults.push(fault.text);
          due.set('fault', deps.writer.clock().getTime() + PAUSE_MS);
          return true;
        });
      } finally {
        clearInterval(beat);
      }
      current.cancellationSignal.throwIfAborted();
      const waiting = await nextDue(deps, session.shop.channel.id);
      return { nextLook: new Date(Math.min(...due.values(), waiting ?? Number.POSITIVE_INFINITY)).toISOString(), busy: context.over(), fault: faults[0] ?? null };
    },
  };
}

/** When something that was postponed comes again, ms since epoch. */
async function nextDue(deps: ActivityDeps, channelId: number): Promise<number | null> {
  const { rows: [row] } = await deps.writer.pool.query<{ at: Date | null }>(
    `select least((select min(due_at) from channel_hints where channel_id = $1 and done_at is null), (select min(due_at) from channel_reports where channel_id = $1 and done_at is null)) at`, [channelId]);
  return row?.at?.getTime() ?? null;
}
