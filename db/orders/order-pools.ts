import type { Network } from '../network.ts';

const DAY = 86_400_000;

/** The allotments whose units an order may take later on, its own first. What may only be borrowed is left out: borrowing is counted at capture. */
export function freeChain(network: Network, allotmentId: number): number[] {
  return network.chain(allotmentId).filter((link) => link.borrow === null).map((link) => link.allotmentId);
}

/** The first day (ISO date) that a lot must live to see to be sent to a customer of this channel. */
export function lastsUntil(network: Network, channelId: number, now: Date): string {
  return new Date(now.getTime() + (network.channelById.get(channelId)?.minLifeDays ?? 0) * DAY).toISOString().slice(0, 10);
}

/** For each allotment, those that its orders may take from: two columns of pairs for a query over orders of any allotment. */
export function chainPairs(network: Network): [from: number[], to: number[]] {
  const from: number[] = [];
  const to: number[] = [];
  for (const id of network.allotments.keys()) {
    for (const target of freeChain(network, id)) {
      from.push(id);
      to.push(target);
    }
  }
  return [from, to];
}
