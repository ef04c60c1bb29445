import { judgeCanary } from '../../../domain/routing/canary.ts';
import type { Network } from '../../network.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { measureArms } from './arms.ts';
import { CANARY, endCanary, type Canary, type CanaryStatus } from './canary.ts';
import { lookEveryMs } from './start.ts';

/** `wakeAt`: when to look again; null: it is over. */
export type CanaryProgress = { status: CanaryStatus; wakeAt: Date | null };

/**
 * One look at a canary: rolled back where it is worse than its guard allows, or where another policy has come into effect; ended when its time is over. A look before its time judges
 * nothing, so that the error stays what was promised. Two at once: the second finds it done.
 */
export async function lookAtCanary(writer: StockWriter, network: Network, id: string): Promise<CanaryProgress> {
  return writer.change(async (tx) => {
    const canary = await tx.one<Canary>(`select ${CANARY} from policy_canaries where id = $1 for no key update`, [id]);
    if (!canary) throw new Error(`canary ${id} is not in the database`);
    if (canary.status !== 'running') return { status: canary.status, wakeAt: null };
    const due = canary.nextLookAt ?? canary.endsAt;
    if (tx.now < due) return { status: 'running', wakeAt: due };
    const arms = await measureArms(tx, canary);
    const over = async (status: Exclude<CanaryStatus, 'running'>, reason: string): Promise<CanaryProgress> => {
      await endCanary(tx, canary, status, 'system', reason, arms);
      return { status, wakeAt: null };
    };
    const inEffect = network.policyAt(tx.now);
    if (inEffect.id !== canary.controlPolicyId) return over('rolled_back', `policy ${inEffect.policy.code} ${inEffect.policy.version} has come into effect: there is no control to measure by`);
    const verdict = judgeCanary(canary.guard, arms.canary, arms.control);
    if (verdict.worse) return over('rolled_back', verdict.reason ?? '');
    if (tx.now >= canary.endsAt) return over('ended', 'its time is over; it was not worse than its guard allows');
    const wakeAt = new Date(Math.min(canary.endsAt.getTime(), tx.now.getTime() + lookEveryMs(canary)));
    await tx.query('update policy_canaries set looks = looks + 1, next_look_at = $2 where id = $1', [id, wakeAt]);
    return { status: 'running', wakeAt };
  });
}
