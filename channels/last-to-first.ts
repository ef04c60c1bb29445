import type { ChangedOrder } from './channel.ts';

/**
 * A list whose orders leave it when they change again while it is read: from its last page to its first they may come twice, but none moves onto a page that was read already. `ask`: a page, from 1, and how many
 * orders there are in all. `page`: null at first, then what was given as `next`.
 */
export async function lastToFirst(page: string | null, size: number, ask: (page: number) => Promise<{ orders: ChangedOrder[]; total: number }>): Promise<{ orders: ChangedOrder[]; next: string | null }> {
  const at = Number(page ?? 1);
  const { orders, total } = await ask(at);
  // The first page says how many there are; alone, it is all of them.
  if (page === null && total > size) return { orders: [], next: String(Math.ceil(total / size)) };
  return { orders, next: at > 1 ? String(at - 1) : null };
}
