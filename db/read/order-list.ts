import type { Knex } from 'knex';
import { encodeId } from '../../domain/ids.ts';
import { ORDER_STATUSES, type OrderStatus } from '../../domain/order/status.ts';
import { ownOrder } from './own-orders.ts';

/** Filters of the list; ids are inside ids. `onlyLocation`: what the key is bound to. */
export type OrderFilter = {
  status?: OrderStatus; channelId?: number; externalId?: string; locationId?: number; capturedFrom?: Date; capturedTo?: Date;
  after?: string; limit: number; onlyLocation: number | null;
};
export type OrderHead = {
  id: string; channel: string; externalId: string; type: string; status: string; holdReason: string | null; paymentStatus: string; currency: string; total: number;
  location: string | null; destination: { country: string; province: string; city: string }; priority: number; shipBy: string | null; capturedAt: string;
};

type Row = {
  id: string; channel: string; externalId: string; type: string; status: string; holdReason: string | null; paymentStatus: string; currency: string; total: number;
  location: string | null; country: string; province: string; city: string; priority: number; shipBy: Date | null; capturedAt: Date;
};

/** Newest first by id, which grows with the time. `next` is the cursor of the following page, null at the end. */
export async function listOrders(knex: Knex, filter: OrderFilter): Promise<{ orders: OrderHead[]; next: string | null }> {
  const query = knex('orders as o').join('channels as c', 'c.id', 'o.channel_id').leftJoin('locations as l', 'l.id', 'o.location_id')
    .select<Row[]>({
      id: 'o.id', channel: 'c.code', externalId: 'o.external_id', type: 'o.type', status: 'o.status', holdReason: 'o.hold_reason', paymentStatus: 'o.payment_status',
      currency: 'o.currency', total: 'o.total_amount', location: 'l.code', country: 'o.dest_country', province: 'o.dest_province', city: 'o.dest_city',
      priority: 'o.priority', shipBy: 'o.ship_by', capturedAt: 'o.captured_at',
    }).orderBy('o.id', 'desc').limit(filter.limit + 1);
  if (filter.status !== undefined) void query.where('o.status', filter.status);
  if (filter.channelId !== undefined) void query.where('o.channel_id', filter.channelId);
  if (filter.externalId !== undefined) void query.where('o.external_id', filter.externalId);
  if (filter.capturedFrom !== undefined) void query.where('o.captured_at', '>=', filter.capturedFrom);
  if (filter.capturedTo !== undefined) void query.where('o.captured_at', '<', filter.capturedTo);
  if (filter.after !== undefined) void query.where('o.id', '<', filter.after);
  for (const at of [filter.locationId, filter.onlyLocation]) if (at !== undefined && at !== null) void query.whereRaw(ownOrder('o', '?'), [at, at]);
  const rows: Row[] = await query;
  const page = rows.slice(0, filter.limit);
  const last = rows.length > filter.limit ? page.at(-1) : undefined;
  return {
    orders: page.map(({ country, province, city, ...row }) => ({
      ...row, id: encodeId('ord', row.id), destination: { country, province, city }, shipBy: row.shipBy?.toISOString() ?? null, capturedAt: row.capturedAt.toISOString(),
    })),
    next: last ? encodeId('ord', last.id) : null,
  };
}

/** How many orders are in each state; every state is there, at zero too. */
export async function countOrders(knex: Knex, onlyLocation: number | null): Promise<Record<OrderStatus, number>> {
  const query = knex('orders as o').select('o.status').count<{ status: OrderStatus; count: number }[]>({ count: '*' }).groupBy('o.status');
  if (onlyLocation !== null) void query.whereRaw(ownOrder('o', '?'), [onlyLocation, onlyLocation]);
  const found = new Map((await query).map((r) => [r.status, r.count]));
  return Object.fromEntries(ORDER_STATUSES.map((s) => [s, found.get(s) ?? 0])) as Record<OrderStatus, number>;
}
