import type { PreparedOrder } from './prepare.ts';

/** Routing waits for the channel's merge window, and for a scheduled delivery until its day; null: for nothing. Who fetches an order was told when it is ready: nothing that is fetched is merged, so it waits for no window. */
export function routeAfter(order: Pick<PreparedOrder, 'channel' | 'capturedAt' | 'scheduledFrom'> & Partial<Pick<PreparedOrder, 'pickup'>>): Date | null {
  const window = order.channel.mergeWindowS > 0 && !order.pickup ? order.capturedAt.getTime() + order.channel.mergeWindowS * 1000 : 0;
  const at = Math.max(window, order.scheduledFrom?.getTime() ?? 0);
  return at > 0 ? new Date(at) : null;
}
