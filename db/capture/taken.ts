/** `borrower`: the allotment that these units count against; `expectedAt`: when units that are still to come are there, ms since epoch. */
export type Pick = { lineNo: number; skuId: number; locationId: number; levelId: number; quantity: number; borrower: number | null; expectedAt: number | null };

/** What a batch has given away already: units by level, and units borrowed by allotment and SKU. */
export class Taken {
  readonly levels = new Map<number, number>();
  readonly borrowed = new Map<string, number>();

  add(picks: readonly Pick[], sign: 1 | -1 = 1): void {
    for (const pick of picks) {
      this.levels.set(pick.levelId, (this.levels.get(pick.levelId) ?? 0) + sign * pick.quantity);
      if (pick.borrower === null) continue;
      const key = borrowKey(pick.borrower, pick.skuId);
      this.borrowed.set(key, (this.borrowed.get(key) ?? 0) + sign * pick.quantity);
    }
  }
}

export const borrowKey = (allotmentId: number, skuId: number): string => `${allotmentId}|${skuId}`;
