import type pg from 'pg';
import { decodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';

/** SQL: the order with this alias is a location's own: it took the order, or has (or had) a fulfillment order of it. `at` is the parameter with the location's id. */
export const ownOrder = (alias: string, at: string): string =>
  `(${alias}.location_id = ${at} or exists (select from fulfillment_orders own where own.order_id = ${alias}.id and own.location_id = ${at}))`;

export function noSuchOrder(id: string): Problem { return new Problem('not_found', `order "${id}" does not exist`); }

/**
 * The UUID of an order as a client names it. `onlyLocation`: the location that the key is bound to; another's order is as if it did not exist.
 * An order never stops being a location's own, so a command may ask before its transaction. Throws Problem not_found.
 */
export async function ownOrderId(pool: pg.Pool, id: string, onlyLocation: number | null): Promise<string> {
  const uuid = decodeId('ord', id);
  if (uuid === null) throw noSuchOrder(id);
  if (onlyLocation === null) return uuid;
  const { rowCount } = await pool.query({ name: 'order_own', text: `select from orders o where o.id = $1 and ${ownOrder('o', '$2')}`, values: [uuid, onlyLocation] });
  if (rowCount === 0) throw noSuchOrder(id);
  return uuid;
}
