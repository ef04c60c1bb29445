import { isDeepStrictEqual } from 'node:util';
import { encodeId } from '../../../domain/ids.ts';
import { Problem } from '../../../domain/problem.ts';
import { LOOKS, type CanaryGuard } from '../../../domain/routing/canary.ts';
import { uuidv7 } from '../../../runtime/ids.ts';
import type { Network } from '../../network.ts';
import { askWorkflow } from '../../outbox.ts';
import type { StockWriter } from '../../stock-writer.ts';
import { CANARY, canaryRef, policyEvent, type Canary } from './canary.ts';

/** `share` per mille of the orders, by a stable hash of their id. */
export type CanaryRequest = { share: number; endsAt: string; guard: CanaryGuard };
const MOST_DAYS = 92;

/** Between two looks, ms: a minute at least. */
export const lookEveryMs = ({ startsAt, endsAt }: { startsAt: Date; endsAt: Date }): number => Math.max(60_000, Math.ceil((endsAt.getTime() - startsAt.getTime()) / LOOKS));

/** Gives a draft a share of the orders from now on, against the policy in effect. Asked again while it runs it is the same canary. Throws Problem. */
export async function startCanary(writer: StockWriter, network: Network, code: string, version: number, request: CanaryRequest, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    // One canary at a time: whoever starts one waits here for the other.
    await tx.query(`select pg_advisory_xact_lock(hashtext('tributary:canary'))`);
    const policy = await tx.one<{ id: number; status: string; effectiveAt: Date }>('select id, status, effective_at "effectiveAt" from routing_policies where code = $1 and version = $2 for no key update', [code, version]);
    if (!policy) throw new Problem('not_found', `routing policy "${code}" has no version ${version}`);
    const endsAt = new Date(request.endsAt);
    if (Number.isNaN(endsAt.getTime())) throw new Problem('invalid', `"${request.endsAt}" is no time`, '/endsAt');
    const running = await tx.one<Canary>(`select ${CANARY} from policy_canaries where status = 'running'`);
    if (running?.policyId === policy.id && running.share === request.share && running.endsAt.getTime() === endsAt.getTime() && isDeepStrictEqual(running.guard, { ...request.guard })) return;
    if (running) throw new Problem('conflict', 'a canary is running already: wait for its end, promote it or roll it back', null, { canary: encodeId('can', running.id) });
    if (!(endsAt > tx.now)) throw new Problem('unprocessable', 'the canary would be over before it begins', '/endsAt');
    if (endsAt.getTime() - tx.now.getTime() > MOST_DAYS * 86_400_000) throw new Problem('unprocessable', `a canary runs ${MOST_DAYS} days at most`, '/endsAt');
    if (policy.status !== 'draft') throw new Problem('conflict', `version ${version} of policy "${code}" is ${policy.status}: a canary tries a draft`);
    const control = network.policyAt(tx.now);
    if (policy.effectiveAt > tx.now) throw new Problem('conflict', `the draft is for ${policy.effectiveAt.toISOString()}: draft a version that is effective now`);
    if (policy.effectiveAt < control.effectiveAt || (policy.effectiveAt.getTime() === control.effectiveAt.getTime() && policy.id < control.id)) {
      throw new Problem('conflict', `the draft is older than the policy in effect (${control.policy.code} ${control.policy.version}) and could not be promoted: draft a new version`);
    }
    const canary = { id: uuidv7(), startsAt: tx.now, endsAt };
    await tx.query('insert into policy_canaries (id, policy_id, control_policy_id, share, starts_at, ends_at, guard, started_by, next_look_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
      [canary.id, policy.id, control.id, request.share, canary.startsAt, canary.endsAt, JSON.stringify(request.guard), actor, new Date(Math.min(endsAt.getTime(), tx.now.getTime() + lookEveryMs(canary)))]);
    await policyEvent(tx, policy.id, 'policy.canary_started', actor, { canary: encodeId('can', canary.id), share: request.share, endsAt: endsAt.toISOString(), guard: request.guard, control: `${control.policy.code}@${control.policy.version}` });
    await askWorkflow(tx, 'start', canaryRef(canary.id));
  });
}
