/** A set-apart part of the stock; 0 is the shared one. `startsAt`/`endsAt`: when orders may name it. */
export type Allotment = {
  id: number; code: string; kind: 'shared' | 'group' | 'channel' | 'campaign' | 'declaration' | 'transfer'; parentId: number | null; channelId: number | null;
  overflow: 'parent' | 'never' | 'borrow'; borrowLimit: number | null; startsAt: Date | null; endsAt: Date | null; closedAt: Date | null;
};

/** One step of the way by which an order finds units; `borrow` limits what that allotment may take here and from further up, units a SKU. */
export type ChainLink = { allotmentId: number; borrow: { allotmentId: number; limit: number } | null };

/**
 * Where an order of an allotment finds units, in this order: its own, then its parents as far as the overflow rules let it (own first, then
 * shared; never; borrow with limit). A closed allotment has no units any more and is passed over by its own rule.
 */
export function overflowChain(allotments: ReadonlyMap<number, Allotment>, from: number): readonly ChainLink[] {
  const chain: ChainLink[] = [];
  let borrow: ChainLink['borrow'] = null;
  for (let at = allotments.get(from); at; at = at.parentId === null ? undefined : allotments.get(at.parentId)) {
    if (chain.some((link) => link.allotmentId === at?.id)) break; // a circle is refused where allotments are written
    if (at.closedAt === null) chain.push({ allotmentId: at.id, borrow });
    if (at.overflow === 'never') break;
    // Two borrowers in a row: the nearer one's limit is the one that an order of it meets first.
    if (at.overflow === 'borrow') borrow ??= { allotmentId: at.id, limit: at.borrowLimit ?? 0 };
  }
  return chain;
}
