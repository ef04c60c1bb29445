import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';

/** After this time an activity waits for somebody else, not for this process. */
const WAITING_MS = 1_000;

/** Counts the activities that keep this worker busy: those that run for less than a second. One that waits for a slow partner must not keep orders from being started. */
export class ActivityLoad {
  #busy = 0;
  get busy(): number { return this.#busy; }

  readonly interceptor: ActivityInterceptorsFactory = () => {
    const inbound: ActivityInboundCallsInterceptor = {
      execute: async (input, next) => {
        this.#busy++;
        let counted = true;
        const release = (): void => {
          if (counted) this.#busy--;
          counted = false;
        };
        const timer = setTimeout(release, WAITING_MS);
        try {
          return await next(input);
        } finally {
          clearTimeout(timer);
          release();
        }
      },
    };
    return { inbound };
  };
}
