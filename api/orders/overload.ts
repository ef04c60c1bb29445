import type { onRequestHookHandler } from 'fastify';
import type { CaptureQueue } from '../../db/capture/capture-queue.ts';
import { Problem } from '../../domain/problem.ts';

/** Longer than this nobody waits for his turn, ms. */
const MOST_WAIT_MS = 120;
/** Requests between their first byte and their answer: two batches being written, one that gathers. */
const MOST_UNDER_WAY = 600;

const underWay = new WeakMap<CaptureQueue, { requests: number }>();

/**
 * Refuses captures with 503 and Retry-After while those that wait already take too long, or too many are being read: before the body is read, which costs
 * next to nothing, so those that are taken in keep their speed. Counts requests itself: in one turn of the event loop hundreds may come before the first is queued.
 */
export function refuseWhenOverloaded(queue: CaptureQueue): onRequestHookHandler {
  let count = underWay.get(queue);
  if (!count) underWay.set(queue, (count = { requests: 0 }));
  const counted = count;
  return (_request, reply, next) => {
    if (counted.requests >= MOST_UNDER_WAY || queue.waitMs > MOST_WAIT_MS) {
      return next(new Problem('saturated', 'more orders arrive than can be written; send the same order again later: it is captured once', null, { retryAfter: 1 }));
    }
    counted.requests++;
    reply.raw.once('close', () => { counted.requests--; });
    next();
  };
}
