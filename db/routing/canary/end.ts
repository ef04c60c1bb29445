import { Problem } from '../../../domain/problem.ts';
import { askWorkflow } from '../../outbox.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import { movePolicyIn } from '../policies.ts';
import { measureArms } from './arms.ts';
import { CANARY, canaryRef, endCanary, type Canary } from './canary.ts';

/** The newest canary of a policy, locked. Throws Problem not_found. */
async function lockLatest(tx: Tx, code: string, version: number): Promise<Canary> {
  const canary = await tx.one<Canary>(
    `select ${CANARY} from policy_canaries where policy_id = (select id from routing_policies where code = $1 and version = $2) order by starts_at desc, id desc limit 1 for no key update`, [code, version]);
  if (!canary) throw new Problem('not_found', `version ${version} of policy "${code}" was never tried as a canary`);
  return canary;
}

/** Rolls a canary back by hand; again it stays so. Throws Problem `conflict` where it is over otherwise. */
export async function rollBackCanary(writer: StockWriter, code: string, version: number, reason: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const canary = await lockLatest(tx, code, version);
    if (canary.status === 'rolled_back') return;
    if (canary.status !== 'running') throw new Problem('conflict', `the canary is ${canary.status}`);
    await endCanary(tx, canary, 'rolled_back', actor, reason, await measureArms(tx, canary));
    await askWorkflow(tx, 'look', canaryRef(canary.id));
  });
}

/** Makes the canary's policy active, for all orders; again it stays so. Throws Problem `conflict` where it was rolled back. */
export async function promoteCanary(writer: StockWriter, code: string, version: number, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    // Policies before canaries, as everywhere.
    await movePolicyIn(tx, code, version, 'lock');
    const canary = await lockLatest(tx, code, version);
    if (canary.status === 'promoted') return;
    if (canary.status === 'rolled_back') throw new Problem('conflict', `the canary was rolled back: ${canary.reason ?? ''}`);
    await movePolicyIn(tx, code, version, 'active');
    await endCanary(tx, canary, 'promoted', actor, null, await measureArms(tx, canary));
    await askWorkflow(tx, 'look', canaryRef(canary.id));
  });
}
