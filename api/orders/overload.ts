import type { onRequestHookHandler } from 'fastify';
import type { CaptureQueue } from '../../db/capture/capture-queue.ts';
import { Problem } from '../../domain/problem.ts';

/** Longer than this nobody waits for an answer: whoever would have to is refused before the body is read, which costs next to nothing. */
const MOST_WAIT_MS = 120;

/** Refuses captures with 503 and Retry-After while those that wait already take too long: then those that are taken in keep their speed. */
export function refuseWhenOverloaded(queue: CaptureQueue): onRequestHookHandler {
  return (_request, _reply, next) => {
    if (queue.waitMs <= MOST_WAIT_MS) return next();
    next(new Problem('saturated', 'more orders arrive than can be written; send the same order again later: it is captured once', null, { retryAfter: 1 }));
  };
}
