import type { RawHttp } from '../channels/channel.ts';
import type { CaptureQueue } from '../db/capture/capture-queue.ts';
import type { Http } from '../domain/http-port.ts';
import type { OrderFacts } from '../domain/order/flow.ts';
import { decodeId } from '../domain/ids.ts';
import type { Network } from '../db/network.ts';
import { readFacts } from '../db/orders/facts.ts';
import type { StockWriter } from '../db/stock-writer.ts';
import type { Vault } from '../db/vault.ts';

/** Everything an activity may use; the worker's composition root makes it once. */
export type ActivityDeps = { writer: StockWriter; network: Network; vault: Vault; http: Http; capture: CaptureQueue; raw: RawHttp };

/** The UUID of an outside id; a wrong one is a bug of ours, not something to retry into. */
export function uuidOf(prefix: 'ord' | 'ful' | 'par' | 'dec' | 'sim' | 'can' | 'trf' | 'wav' | 'cmp', id: string): string {
  const uuid = decodeId(prefix, id);
  if (uuid === null) throw new TypeError(`"${id}" is no ${prefix} id`);
  return uuid;
}

/** What PostgreSQL says of an order now. An order that is gone has nothing left to do. */
export async function factsOf(deps: ActivityDeps, orderUuid: string): Promise<OrderFacts> {
  const facts = await readFacts(deps.writer.pool, deps.network, orderUuid, deps.writer.clock());
  if (!facts) throw new Error(`order ${orderUuid} is not in the database`);
  return facts;
}
