import { TERMINAL, type OrderStatus } from '../../domain/order/status.ts';
import { Problem } from '../../domain/problem.ts';
import { changeAddress } from '../orders/change-address.ts';
import { lockChangeable } from '../orders/operate/guard.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { ShipTo, Vault } from '../vault.ts';
import { readFamily } from './family.ts';

/** The orders of ours that go where a platform's order goes: itself and what was split off it. Throws `conflict` where its goods go with another order's. */
async function goingTogether(writer: StockWriter, orderId: string): Promise<string[]> {
  const { members, holders } = await readFamily(writer.pool, orderId);
  if (holders.some((h) => h.shared && !h.over)) throw new Problem('conflict', 'its goods go to one address with those of an order that it was merged with: split it off first');
  const { rows } = await writer.pool.query<{ id: string; status: OrderStatus }>('select id, status from orders where id = any($1::uuid[]) order by id', [members]);
  const open = rows.filter((r) => !TERMINAL.has(r.status)).map((r) => r.id);
  return open.length > 0 ? open : [orderId];
}

/** Sends what of a platform's order is not packed yet elsewhere, all parts of it. Throws `conflict` when a part cannot, after the others. */
export async function changeAddressOf(writer: StockWriter, network: Network, vault: Vault, orderId: string, shipTo: ShipTo, actor: string): Promise<void> {
  let past: Problem | null = null;
  for (const id of await goingTogether(writer, orderId)) {
    await changeAddress(writer, network, vault, id, shipTo, actor).catch((error: unknown) => {
      if (!(error instanceof Problem) || error.code !== 'conflict') throw error;
      past = error;
    });
  }
  if (past) throw past as Problem;
}

/** Agrees to another address as long as nobody works on any part of the order; null: it cannot be seen yet. Throws `conflict`. */
export async function agreeToAddress(writer: StockWriter, network: Network, vault: Vault, orderId: string, shipTo: ShipTo | null, actor: string): Promise<void> {
  const parts = await goingTogether(writer, orderId);
  if (shipTo === null || parts.length > 1) await writer.change(async (tx) => { for (const id of parts) await lockChangeable(tx, id); });
  if (shipTo !== null) await changeAddressOf(writer, network, vault, orderId, shipTo, actor);
}
