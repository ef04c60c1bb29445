import { ensureLevels } from '../../ledger.ts';
import type { Tx } from '../../tx.ts';
import type { SupplyLevel } from './supply.ts';

export type ArrivedLine = { skuId: number; sku: string; condition: string; lotId: number; units: number };

/** The physical holders that a receipt may fill. */
export class Shelves {
  readonly #locationId: number;
  readonly #lines: readonly ArrivedLine[];
  readonly #ids = new Map<string, number>();

  constructor(locationId: number, lines: readonly ArrivedLine[]) {
    this.#locationId = locationId;
    this.#lines = lines;
  }

  /** Makes them before levels are locked: for each line the shared one, and for sellable units that of each allotment that has the SKU on the supply. */
  async ensure(tx: Tx, levels: readonly SupplyLevel[]): Promise<number[]> {
    const keys = this.#lines.flatMap((line) => {
      const allotments = line.condition === 'sellable' ? levels.filter((l) => l.skuId === line.skuId).map((l) => l.allotmentId) : [];
      return [...new Set([0, ...allotments])].map((allotmentId) => ({ locationId: this.#locationId, skuId: line.skuId, condition: line.condition, lotId: line.lotId, allotmentId }));
    });
    const ids = await ensureLevels(tx.client, keys);
    keys.forEach((k, i) => this.#ids.set(this.#key(k, k.allotmentId), ids[i] as number));
    return ids;
  }

  /** Where units of a line go; throws what makes the writer try the whole receipt again when an allotment got its first units meanwhile. */
  of(line: ArrivedLine, allotmentId: number): number {
    const id = this.#ids.get(this.#key(line, line.condition === 'sellable' ? allotmentId : 0));
    if (id === undefined) throw Object.assign(new Error('the levels of the supply changed meanwhile'), { code: '40001' });
    return id;
  }

  #key(line: Pick<ArrivedLine, 'skuId' | 'condition' | 'lotId'>, allotmentId: number): string { return `${line.skuId}|${line.condition}|${line.lotId}|${allotmentId}`; }
}
