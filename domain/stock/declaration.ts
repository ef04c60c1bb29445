export const DECLARATION_KINDS = ['live_stream', 'influencer', 'group_buy'] as const;
export type DeclarationKind = (typeof DECLARATION_KINDS)[number];
export type DeclarationStatus = 'declared' | 'live' | 'settling' | 'settled' | 'cancelled';

/** Where units come from or go back to: a location's shelf or a supply that is still to come. Units in the unit of the line. */
export type SourceRequest = { location?: string; supply?: string; units: number };
/** `unit`: a unit of measure of the SKU; left out: its base unit. */
export type LineRequest = { sku: string; unit?: string; sources: SourceRequest[] };

export type ContractSource = {
  location: string; supply: string | null; lot: string | null; lotExpiresOn: string | null; expectedAt: string | null; units: number; firm: boolean; confidence: number;
};
/** `confidence`: of the line, its sources weighted by units. Quantities in base units. */
export type ContractLine = { sku: string; firm: number; soft: number; confidence: number; sources: ContractSource[] };

/** One SKU's figures, in base units. `free` = firm + soft; `beyond`: sold from other stock than the session's own, where overflow lets it. */
export type BurnDownLine = {
  sku: string; declared: number; toppedUp: number; givenBack: number; sold: number; reserved: number; issued: number; beyond: number; cancelled: number; returned: number; short: number;
  free: number; firm: number; soft: number; released: number; oversold: number;
};

/**
 * How sure it is that counted stock is there: the share of the location's counted lines that matched (reconciliation keeps it); a location that was never
 * counted has the constant of the policy.
 */
export function shelfConfidence(accuracy: { counted: number; matched: number } | null, uncounted: number): number {
  return accuracy !== null && accuracy.counted > 0 ? round(accuracy.matched / accuracy.counted) : uncounted;
}

/** Sums the sources of one SKU. */
export function contractLine(sku: string, sources: ContractSource[]): ContractLine {
  const sum = (rows: readonly ContractSource[]): number => rows.reduce((units, s) => units + s.units, 0);
  const firm = sum(sources.filter((s) => s.firm));
  const all = sum(sources);
  return { sku, firm, soft: all - firm, confidence: all === 0 ? 0 : round(sources.reduce((w, s) => w + s.units * s.confidence, 0) / all), sources };
}

/** Units sold that the session did not have: what was declared and added, less what went back. 0 unless the ledger has been broken. */
export function oversold(line: Omit<BurnDownLine, 'oversold'>): number {
  return Math.max(0, line.sold - (line.declared + line.toppedUp - line.givenBack - line.released));
}

/** Takes units from levels in their order. Returns null where they have not enough together; `free` is changed only otherwise. */
export function takeInOrder(levelIds: readonly number[], units: number, free: Map<number, number>): { levelId: number; units: number }[] | null {
  const taken: { levelId: number; units: number }[] = [];
  let rest = units;
  for (const levelId of levelIds) {
    const part = Math.min(rest, free.get(levelId) ?? 0);
    if (part <= 0) continue;
    taken.push({ levelId, units: part });
    rest -= part;
  }
  if (rest > 0) return null;
  for (const t of taken) free.set(t.levelId, (free.get(t.levelId) ?? 0) - t.units);
  return taken;
}

const round = (share: number): number => Math.round(share * 10_000) / 10_000;
