import type pg from 'pg';
import { encodeId } from '../../../domain/ids.ts';
import { Problem } from '../../../domain/problem.ts';
import type { CanaryGuard } from '../../../domain/routing/canary.ts';
import { measureArms, type Arms } from './arms.ts';
import { CANARY, type Canary, type CanaryStatus } from './canary.ts';

/** `arms` as they are now, while it runs; as they were at the end, after. */
export type CanaryView = {
  id: string; policy: { code: string; version: number }; control: { code: string; version: number }; share: number; startsAt: string; endsAt: string; guard: CanaryGuard; status: CanaryStatus;
  startedBy: string; endedAt: string | null; endedBy: string | null; reason: string | null; looks: number; nextLookAt: string | null; arms: Arms; events: { type: string; at: string; actor: string }[];
};
type Named = Canary & { controlCode: string; controlVersion: number };

/** The newest canary of a policy. Throws Problem not_found. */
export async function readCanary(pool: pg.Pool, code: string, version: number, now: Date): Promise<CanaryView> {
  const { rows: [c] } = await pool.query<Named>(
    `select c.*, k.code "controlCode", k.version "controlVersion" from (select ${CANARY} from policy_canaries where policy_id = (select id from routing_policies where code = $1 and version = $2)
     order by starts_at desc, id desc limit 1) c join routing_policies k on k.id = c."controlPolicyId"`, [code, version]);
  if (!c) throw new Problem('not_found', `version ${version} of policy "${code}" was never tried as a canary`);
  const arms = c.figures ?? await measureArms({ now, query: async (text, values) => (await pool.query(text, values)).rows as never }, c);
  const { rows: events } = await pool.query<{ type: string; at: Date; actor: string }>('select type, at, actor from policy_events where policy_id = $1 and data ->> \'canary\' = $2 order by id', [c.policyId, encodeId('can', c.id)]);
  return {
    id: encodeId('can', c.id), policy: { code, version }, control: { code: c.controlCode, version: c.controlVersion }, share: c.share, startsAt: c.startsAt.toISOString(), endsAt: c.endsAt.toISOString(), guard: c.guard,
    status: c.status, startedBy: c.startedBy, endedAt: c.endedAt?.toISOString() ?? null, endedBy: c.endedBy, reason: c.reason, looks: c.looks, nextLookAt: c.nextLookAt?.toISOString() ?? null, arms,
    events: events.map((e) => ({ ...e, at: e.at.toISOString() })),
  };
}
