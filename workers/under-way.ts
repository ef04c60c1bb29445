import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';

/** How long an order counts without a sign of life, ms: after its start; while an activity of it runs; between two of them. */
const STARTED_MS = 3_000;
const RUNNING_MS = 3_000;
const BETWEEN_MS = 1_000;
/** The first call to somebody outside: with its answer the order has been handed over. */
const LAST_STEP = 'ship';

/**
 * The orders that this worker has started and not yet brought to their location. The relay starts no more than a handful at once, so that an urgent
 * one is never behind a heap inside Temporal. An order that waits for something (payment, a hold, a slow partner, another worker) soon counts no more.
 */
export class OrdersUnderWay {
  readonly #until = new Map<string, number>();

  started(orderId: string): void { this.#until.set(orderId, Date.now() + STARTED_MS); }

  get count(): number {
    const now = Date.now();
    for (const [id, until] of this.#until) if (until <= now) this.#until.delete(id);
    return this.#until.size;
  }

  readonly interceptor: ActivityInterceptorsFactory = (context) => {
    const inbound: ActivityInboundCallsInterceptor = {
      execute: async (input, next) => {
        const { orderId } = (input.args[0] ?? {}) as { orderId?: string };
        if (orderId === undefined || !this.#until.has(orderId)) return next(input);
        this.#until.set(orderId, Date.now() + RUNNING_MS);
        try {
          return await next(input);
        } finally {
          if (context.info.activityType === LAST_STEP) this.#until.delete(orderId);
          else if (this.#until.has(orderId)) this.#until.set(orderId, Date.now() + BETWEEN_MS);
        }
      },
    };
    return { inbound };
  };
}
