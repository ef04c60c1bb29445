import type { Logger } from 'pino';
import { cleanWebhooks, fanOut, giveUpWebhooks } from '../../db/webhooks/fan-out.ts';
import { leaseDeliveries, settleDelivery, type DueDelivery, type TryOutcome } from '../../db/webhooks/deliveries.ts';
import { liveSecrets, openSecrets, signatures } from '../../db/webhooks/secrets.ts';
import type { Store } from '../../db/store.ts';
import { retryAfterSeconds } from '../../domain/http-port.ts';
import { encodeId } from '../../domain/ids.ts';
import { MOST_BYTES } from '../../domain/webhooks/catalogue.ts';
import { ForbiddenAddress, type SafeAnswer } from '../../runtime/safe-post.ts';
import { repeat } from '../repeat.ts';

const SLOTS = 60;
const EACH = 8;
/** Longer than a try may take. */
const LEASE_MS = 60_000;
const KEPT_MS = 30 * 86_400_000;
const CLEANING_MS = 3_600_000;

export type WebhookSenderDeps = { store: Pick<Store, 'pool' | 'vault' | 'writer'>; post: (url: string, headers: Record<string, string>, body: string) => Promise<SafeAnswer>; logger: Logger; onTried?: (outcome: TryOutcome) => void };

/** One round: writes who must be told, then tells whoever is due, in order per order, until nobody is. Returns how many tries were made. */
export async function sendWebhooks(deps: WebhookSenderDeps): Promise<number> {
  const { store, logger } = deps;
  await fanOut(store.pool, store.writer.clock());
  const running = new Set<Promise<void>>();
  let made = 0;
  for (;;) {
    const now = store.writer.clock();
    const due = await leaseDeliveries(store.pool, now, new Date(now.getTime() + LEASE_MS), EACH, SLOTS - running.size);
    for (const delivery of due) {
      made++;
      const run = attempt(deps, delivery)
        // It keeps its lease; when that ends it is sent again, under the same id.
        .catch((error: unknown) => { logger.warn({ err: error, webhook: encodeId('whe', delivery.endpointId) }, 'webhook try not recorded'); })
        .finally(() => { running.delete(run); });
      running.add(run);
    }
    if (running.size === 0) return made;
    await Promise.race(running);
  }
}

async function attempt({ store: { pool, vault, writer }, post, onTried }: WebhookSenderDeps, d: DueDelivery): Promise<void> {
  const now = writer.clock();
  const begun = performance.now();
  const id = encodeId('evt', d.eventId);
  const timestamp = Math.floor(now.getTime() / 1000);
  const secrets = liveSecrets(openSecrets(vault, d.secrets), now).map((s) => s.secret);
  let answer: SafeAnswer | null = null;
  let error: string | null = null;
  try {
    if (Buffer.byteLength(d.body) >= MOST_BYTES) throw new ForbiddenAddress('the event is larger than 20 kB');
    answer = await post(d.url, { 'content-type': 'application/json', 'user-agent': 'Tributary-Webhooks/1', 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures(secrets, id, timestamp, d.body) }, d.body);
  } catch (failure) {
    error = failure instanceof ForbiddenAddress ? failure.message : reasonOf(failure);
  }
  const outcome = await settleDelivery(pool, d, {
    answer: answer?.status ?? null, error: error ?? (answer !== null && answer.status >= 300 ? `answered ${answer.status}` : null),
    retryAfterS: retryAfterSeconds(answer?.retryAfter ?? null, now.getTime()), ms: performance.now() - begun,
  }, writer.clock());
  onTried?.(outcome);
}

/** A code that says nothing of inner addresses: an endpoint's owner reads it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  const code = 'code' in error ? String(error.code) : '';
  return /^[A-Z0-9_]{1,60}$/.test(code) ? `no answer: ${code}` : 'no answer';
}

/** Rounds until closed; `close` waits for the one under way. */
export function startWebhooks(deps: WebhookSenderDeps, everyMs = 250): { close(): Promise<void> } {
  let cleanedAt = 0;
  const once = async (): Promise<void> => {
    await sendWebhooks(deps);
    if (Date.now() - cleanedAt < CLEANING_MS) return;
    cleanedAt = Date.now();
    await giveUpWebhooks(deps.store.pool, deps.store.writer.clock());
    await cleanWebhooks(deps.store.pool, new Date(deps.store.writer.clock().getTime() - KEPT_MS));
  };
  return { close: repeat(once, everyMs, (error) => { deps.logger.warn({ err: error }, 'webhooks wait'); }) };
}
