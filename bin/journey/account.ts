import type { Client } from '../demo/client.ts';
import { payable } from './clean.ts';
import type { Basket, Journey } from './read.ts';
import { CHANNEL, type Imported } from './send.ts';

/** An order of the channel, as the list of orders shows it. */
export type Head = { externalId: string; status: string; total: number };

/** What became of the lines of the chosen baskets. Every line read is in exactly one of the numbers, or in `lost`. */
export type Account = {
  linesRead: number;
  /** in an order that the system holds with the basket's exact total */
  ordered: number;
  merged: number;
  bad: number;
  /** in a basket the API refused */
  refused: number;
  /** in none of these: the basket is not in the system, or with another total */
  lost: number;
  /** what is wrong, a basket each */
  faults: string[];
};

/** All orders of the journey's channel, by external id. */
export async function readOrders(client: Client): Promise<Map<string, Head>> {
  const found = new Map<string, Head>();
  for (let after: string | null = ''; after !== null;) {
    const { body }: { body: { orders: Head[]; next: string | null } } = await client('GET', `/v1/orders?channel=${CHANNEL}&limit=200${after === '' ? '' : `&after=${after}`}`);
    for (const order of body.orders) found.set(order.externalId, order);
    after = body.next;
  }
  return found;
}

/**
 * Compares the chosen baskets with what the system holds, basket by basket: there, and with the total the buyer paid, to the cent. The lines of a
 * basket count as ordered only then, so a line that went missing anywhere on the way makes the account fall short.
 */
export function accountFor(journey: Journey, imported: Pick<Imported, 'refused'>, orders: ReadonlyMap<string, Head>): Account {
  const account: Account = { linesRead: journey.linesRead, ordered: 0, merged: journey.linesMerged, bad: [...journey.bad.values()].reduce((sum, n) => sum + n, 0), refused: 0, lost: 0, faults: [] };
  for (const basket of journey.baskets) {
    const fault = faultOf(basket, orders.get(basket.id));
    if (fault === null) account.ordered += basket.lines.size;
    else if (imported.refused.has(basket.id)) account.refused += basket.lines.size;
    else account.faults.push(`basket ${basket.id}: ${fault}`);
  }
  account.lost = account.linesRead - account.ordered - account.merged - account.bad - account.refused;
  return account;
}

function faultOf(basket: Basket, order: Head | undefined): string | null {
  if (!order) return 'not in the system';
  const paid = [...basket.lines.values()].reduce((sum, line) => sum + payable(line), 0);
  return order.total === paid ? null : `total ${order.total} in the system, ${paid} at the till`;
}
