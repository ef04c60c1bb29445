type Base = { id: number; name: string; action: 'pass' | 'hold' | 'reject'; priority: number; channelCode: string | null; active: boolean };
export type AuditRule = Base & (
  | { kind: 'amount'; params: { min?: number; max?: number } }
  | { kind: 'address'; params: { incomplete?: boolean; unknown?: boolean; unlisted?: boolean; remoteProvinces?: string[] } }
  | { kind: 'remark'; params: { buyer?: boolean; seller?: boolean; words?: string[] } }
  | { kind: 'duplicate'; params: { withinMinutes: number; by: 'buyer' | 'address' | 'both' } }
  | { kind: 'blocked'; params: Record<string, never> }
  | { kind: 'margin'; params: { minPercent: number } }
  | { kind: 'floor'; params: Record<string, never> });

export type Recent = { orderId: string; minutesAgo: number };
export type AuditFacts = {
  channelCode: string; total: number; currency: string; /** of the goods; null: not known */ cost: number | null; goodsNet: number;
  destination: { country: string; province: string; city: string; district: string | null; hasStreet: boolean; hasPhone: boolean; hasName: boolean; /** its province is one of the country's, as far as that is known */ known: boolean; /** the province on file that it is almost */ like?: string | null; /** not on file where others are */ unlisted?: 'province' | 'city' | null };
  buyerRemark: string | null; sellerRemark: string | null; recentByBuyer: Recent[]; recentByAddress: Recent[]; blockedMatches: string[];
  /** SKUs sold below the floor of the price book; left out where no rule asks */
  belowFloor?: string[];
};
export type AuditHit = { ruleId: number; name: string; action: 'pass' | 'hold' | 'reject'; reason: string };
export type AuditResult = { outcome: 'pass' | 'hold' | 'reject'; hits: AuditHit[] };

/**
 * Runs the rules (审单) by priority, then id. A matching `pass` rule ends the run: what came before it stands, the rest is not asked. Reject beats hold.
 * Reasons name no person.
 */
export function evaluateAudit(rules: readonly AuditRule[], facts: AuditFacts): AuditResult {
  const hits: AuditHit[] = [];
  for (const rule of [...rules].sort((a, b) => a.priority - b.priority || a.id - b.id)) {
    if (!rule.active || (rule.channelCode !== null && rule.channelCode !== facts.channelCode)) continue;
    const reason = match(rule, facts);
    if (reason === null) continue;
    hits.push({ ruleId: rule.id, name: rule.name, action: rule.action, reason });
    if (rule.action === 'pass') break;
  }
  const outcome = hits.some((h) => h.action === 'reject') ? 'reject' : hits.some((h) => h.action === 'hold') ? 'hold' : 'pass';
  return { outcome, hits };
}

/** What of an address is not on file, in words without its names (people write anything there); null: all of it is, or nothing of its kind is. */
export function unlistedWords({ unlisted }: Pick<AuditFacts['destination'], 'unlisted'>): string | null { return unlisted ? `its ${unlisted} is not on file: zone, date and distance are a guess` : null; }

function match(rule: AuditRule, f: AuditFacts): string | null {
  switch (rule.kind) {
    case 'amount': {
      const { min, max } = rule.params;
      const inside = (min === undefined || f.total >= min) && (max === undefined || f.total <= max);
      return inside ? `the total ${f.total} lies within ${min ?? 0} and ${max ?? 'any amount'}` : null;
    }
    case 'address': {
      if (rule.params.incomplete) {
        const missing = [f.destination.hasName ? '' : 'name', f.destination.hasPhone ? '' : 'phone', f.destination.hasStreet ? '' : 'street'].filter(Boolean);
        if (missing.length > 0) return `the address lacks ${missing.join(', ')}`;
      }
      if (rule.params.unknown && !f.destination.known) return `province ${f.destination.province} is not known in ${f.destination.country}${f.destination.like ? ` (${f.destination.like}?)` : ''}: change the address, or release the hold`;
      if (rule.params.unlisted && f.destination.unlisted) return unlistedWords(f.destination);
      return rule.params.remoteProvinces?.includes(f.destination.province) ? `${f.destination.province} is remote` : null;
    }
    case 'remark': {
      const both = rule.params.buyer === undefined && rule.params.seller === undefined;
      const texts = [both || rule.params.buyer ? f.buyerRemark : null, both || rule.params.seller ? f.sellerRemark : null].filter((t): t is string => t !== null && t.trim() !== '');
      if (texts.length === 0) return null;
      const { words } = rule.params;
      if (!words || words.length === 0) return 'the order has a remark';
      const word = words.find((w) => texts.some((t) => t.toLowerCase().includes(w.toLowerCase())));
      return word === undefined ? null : `a remark holds "${word}"`;
    }
    case 'duplicate': {
      const recent = (list: readonly Recent[]): Recent[] => list.filter((r) => r.minutesAgo <= rule.params.withinMinutes);
      const buyer = recent(f.recentByBuyer);
      const address = recent(f.recentByAddress);
      const found = rule.params.by === 'buyer' ? buyer : rule.params.by === 'address' ? address : buyer.filter((b) => address.some((a) => a.orderId === b.orderId));
      return found.length === 0 ? null : `like ${found.map((r) => r.orderId).join(', ')} of the last ${rule.params.withinMinutes} minutes`;
    }
    case 'blocked': return f.blockedMatches.length === 0 ? null : `blocked: ${f.blockedMatches.join(', ')}`;
    case 'floor': return (f.belowFloor ?? []).length === 0 ? null : `sold below the floor price: ${(f.belowFloor ?? []).join(', ')}`;
    case 'margin': {
      if (f.cost === null) return null;
      const percent = f.goodsNet === 0 ? -100 : ((f.goodsNet - f.cost) * 100) / f.goodsNet;
      return percent < rule.params.minPercent ? `the margin is ${percent.toFixed(1)} %, below ${rule.params.minPercent} %` : null;
    }
  }
}

const KNOWN: Record<AuditRule['kind'], Record<string, (v: unknown) => boolean>> = {
  amount: { min: isAmount, max: isAmount },
  address: { incomplete: isFlag, unknown: isFlag, unlisted: isFlag, remoteProvinces: isWords },
  remark: { buyer: isFlag, seller: isFlag, words: isWords },
  duplicate: { withinMinutes: (v) => Number.isInteger(v) && (v as number) > 0 && (v as number) <= 10_080, by: (v) => v === 'buyer' || v === 'address' || v === 'both' },
  blocked: {},
  margin: { minPercent: (v) => typeof v === 'number' && v >= -1000 && v <= 100 },
  floor: {},
};
function isAmount(v: unknown): boolean { return Number.isSafeInteger(v) && (v as number) >= 0; }
function isFlag(v: unknown): boolean { return typeof v === 'boolean'; }
function isWords(v: unknown): boolean { return Array.isArray(v) && v.length > 0 && v.every((w) => typeof w === 'string' && w !== ''); }

/** What is wrong with a rule, in words that name the field; empty when it can be used. */
export function validateAuditRule(input: { kind: string; action: string; params: unknown }): string[] {
  const known = KNOWN[input.kind as AuditRule['kind']] as (typeof KNOWN)['amount'] | undefined;
  if (!known) return [`/kind must be one of ${Object.keys(KNOWN).join(', ')}`];
  const problems = ['pass', 'hold', 'reject'].includes(input.action) ? [] : ['/action must be pass, hold or reject'];
  if (typeof input.params !== 'object' || input.params === null || Array.isArray(input.params)) return [...problems, '/params must be an object'];
  const params = input.params as Record<string, unknown>;
  for (const [name, value] of Object.entries(params)) {
    const ok = known[name];
    if (!ok) problems.push(`/params/${name} is not known for ${input.kind}`);
    else if (!ok(value)) problems.push(`/params/${name} is wrong`);
  }
  if (input.kind === 'amount' && params['min'] === undefined && params['max'] === undefined) problems.push('/params needs min or max');
  if (input.kind === 'amount' && typeof params['min'] === 'number' && typeof params['max'] === 'number' && params['min'] > params['max']) problems.push('/params/min exceeds max');
  if (input.kind === 'address' && params['incomplete'] !== true && params['unknown'] !== true && params['unlisted'] !== true && params['remoteProvinces'] === undefined) problems.push('/params needs incomplete, unknown, unlisted or remoteProvinces');
  if (input.kind === 'duplicate') for (const name of ['withinMinutes', 'by']) if (params[name] === undefined) problems.push(`/params/${name} is missing`);
  if (input.kind === 'margin' && params['minPercent'] === undefined) problems.push('/params/minPercent is missing');
  return problems;
}
