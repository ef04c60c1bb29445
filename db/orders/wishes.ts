import type { Tx } from '../tx.ts';

/**
 * What was found out for the order as it was no longer holds: how it hurries, where its wave wants it sent from, and the wave itself, should that still be solving. Call under the order's lock when its address or lines change, or when an
 * operator says where it goes from.
 */
export async function forgetWishes(tx: Tx, orderId: string): Promise<void> {
  await tx.query('update orders set hurry = null, wave_locations = null, wave_id = null where id = $1 and (hurry is not null or wave_locations is not null or wave_id is not null)', [orderId]);
}

/** A location gave some of the order back: where its wave had counted on it, the wave's choice is void. What hurries an order stays: its promise is no safer for it. */
export async function forgetWave(tx: Tx, orderId: string, locationId: number): Promise<void> {
  await tx.query('update orders set wave_locations = null where id = $1 and (select code from locations where id = $2) = any(wave_locations)', [orderId, locationId]);
}
