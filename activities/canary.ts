import { lookAtCanary } from '../db/routing/canary/look.ts';
import type { CanaryStatus } from '../db/routing/canary/canary.ts';
import { uuidOf, type ActivityDeps } from './deps.ts';

/** The one activity of `canary/<id>`. */
export function createCanaries({ writer, network }: ActivityDeps) {
  return {
    /** Measures both arms where a look is due, rolls back or ends. `wakeAt` ISO 8601; null when it is over. */
    async lookAtCanary({ canary }: { canary: string }): Promise<{ status: CanaryStatus; wakeAt: string | null }> {
      const { status, wakeAt } = await lookAtCanary(writer, network, uuidOf('can', canary));
      return { status, wakeAt: wakeAt?.toISOString() ?? null };
    },
  };
}
