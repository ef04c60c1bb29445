import type { SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from './seen-order.ts';

/** What has been done of a platform's order so far; `afterSales`: the status last acted on, by id; `units`: of each line, what was still to be shipped. */
export type Applied = {
  version: number; status: SeenStatus; paid: boolean; addressKey: string | null; cancelled: Readonly<Record<string, number>>; afterSales: Readonly<Record<string, SeenAfterSale['status']>>;
  keptBack?: boolean;
  units?: Readonly<Record<string, number>>;
  /** what it costs, kept to be compared; left out by versions before */
  money?: string;
  /** its price could not follow yet; it is tried again though it is paid by now */
  repricing?: boolean;
  /** the platform has it no more, and somebody has seen to that */
  gone?: boolean;
  /** after-sales that are asked for, by id, each as it was last seen: a version that grows with every change of it */
  claims?: Readonly<Record<string, number>>;
};

export type Step =
  | { do: 'capture' }
  /** what an unpaid order costs was changed */
  | { do: 'reprice' }
  | { do: 'pay' }
  | { do: 'change_address' }
  /** the buyer asked, the platform waits for our word */
  | { do: 'answer_address' }
  | { do: 'cancel' }
  /** `cancelled`: of the units that were captured of the line, all that are no more to be shipped, those of before included */
  | { do: 'cancel_units'; lines: { lineId: string; cancelled: number }[] }
  | { do: 'refund'; afterSale: SeenAfterSale }
  | { do: 'return'; afterSale: SeenAfterSale }
  | { do: 'close_after_sale'; afterSale: SeenAfterSale }
  /** the platform keeps it back, or lets it go again */
  | { do: 'keep_back'; why: string }
  | { do: 'let_go' }
  /** the platform's own warehouse has shipped */
  | { do: 'issue_by_platform' }
  /** there is more of it now than we have captured, or it lives again: somebody must look. `key`: the same for the same change */
  | { do: 'hold_changed'; why: string; key: string };

/** How something is kept that is only compared: a keyed hash, the same for the same text. */
export type Keep = (text: string) => string;

export type Verdict =
  | { verdict: 'steps'; steps: Step[] }
  | { verdict: 'ignore'; reason: 'older' | 'cancelled_before_capture' | 'shipped_before_capture' };

const LIVES_AGAIN = 'cancelled';
const NO_LINES = 'lines:none';
const SHIPPED: ReadonlySet<SeenStatus> = new Set(['shipped', 'done']);

/**
 * What an order's present state on its platform asks of us, given what was done before. States are compared, not events: lost, repeated and shuffled pushes lead to the same
 * end. An older state than the one applied is passed over. `keep`: how an address is kept to be compared, for what is applied lies outside the vault. `captured`: units of each line that our order was made with; null:
 * there is none yet, and what is applied says only which state was last seen. An order that we have is never ignored.
 */
export function nextSteps(applied: Applied | null, seen: SeenOrder, keep: Keep, captured: ReadonlyMap<string, number> | null): Verdict {
  if (applied !== null && seen.version < applied.version) return { verdict: 'ignore', reason: 'older' };
  const steps: Step[] = [];
  if (captured === null) {
    if (seen.status === 'cancelled') return { verdict: 'ignore', reason: 'cancelled_before_capture' };
    // Of two states under one version, a reading from before the cancellation must not make an order of it.
    if (applied !== null && applied.status === 'cancelled' && seen.version === applied.version) return { verdict: 'ignore', reason: 'older' };
    // A shop that connects has a past; what its platform's warehouse shipped still moves stock.
    if (SHIPPED.has(seen.status) && seen.fulfilledBy === 'us') return { verdict: 'ignore', reason: 'shipped_before_capture' };
    steps.push({ do: 'capture' });
  }
  const was: Applied = captured === null ? firstApplied(seen, keep) : applied ?? unknownState(seen);
  if (seen.status === 'cancelled') {
    if (was.status !== 'cancelled') steps.push({ do: 'cancel' });
    return { verdict: 'steps', steps };
  }
  if (was.status === 'cancelled') return { verdict: 'steps', steps: [{ do: 'hold_changed', why: 'the platform has it again, after it was cancelled', key: LIVES_AGAIN }] };
  const priceFollows = (!was.paid && seen.onAccount !== true) || was.repricing === true;
  if (priceFollows && was.money !== undefined && was.money !== keptMoney(seen, keep)) steps.push({ do: 'reprice' });
  if (!was.paid && seen.paidAt !== null) steps.push({ do: 'pay' });
  const key = keptKey(seen, keep);
  // Versions before kept it as it is.
  if (key !== null && key !== was.addressKey && addressKey(seen) !== was.addressKey) steps.push({ do: 'change_address' });
  if (seen.wantedAddress !== null) steps.push({ do: 'answer_address' });
  const { fewer, more } = changedUnits(was, seen, captured ?? new Map());
  if (fewer.length > 0) steps.push({ do: 'cancel_units', lines: fewer });
  for (const afterSale of seen.afterSales) {
    const before = was.afterSales[afterSale.id];
    if (before === afterSale.status) continue;
    const open = afterSale.status === 'requested' || afterSale.status === 'agreed' || afterSale.status === 'goods_sent' || afterSale.status === 'done';
    if (open) steps.push({ do: afterSale.kind === 'refund' ? 'refund' : 'return', afterSale });
    else if (before !== undefined) steps.push({ do: 'close_after_sale', afterSale });
  }
  // One that the platform shows no more (another has taken its place) is not asked for any more.
  for (const [id, status] of Object.entries(was.afterSales)) {
    if (status === 'requested' && seen.afterSales.every((a) => a.id !== id)) steps.push({ do: 'close_after_sale', afterSale: { id, kind: 'refund', status: 'closed', lines: [], amount: null, reason: '', waybill: null, version: seen.version } });
  }
  const why = seen.keptBack ?? null;
  if (why !== null && was.keptBack !== true && !SHIPPED.has(seen.status)) steps.push({ do: 'keep_back', why });
  if (why === null && was.keptBack === true) steps.push({ do: 'let_go' });
  if (seen.fulfilledBy === 'platform' && SHIPPED.has(seen.status) && !SHIPPED.has(was.status)) steps.push({ do: 'issue_by_platform' });
  if (captured !== null && more !== null) steps.push({ do: 'hold_changed', ...more });
  return { verdict: 'steps', steps };
}

/** Units of each line that are still to be shipped, as the platform shows them. */
function unitsOf(seen: SeenOrder): Map<string, number> {
  const units = new Map<string, number>();
  for (const l of seen.lines) units.set(l.lineId, (units.get(l.lineId) ?? 0) + Math.max(0, l.quantity - l.cancelled));
  return units;
}

/**
 * What there is less of than before, of lines that were captured; and whether there is more. A line that is shown no more counts as cancelled until the order has left (after that platforms leave out what they like); an
 * order that shows no line at all is one that nobody can believe.
 */
function changedUnits(was: Applied, seen: SeenOrder, captured: ReadonlyMap<string, number>): { fewer: { lineId: string; cancelled: number }[]; more: { why: string; key: string } | null } {
  const now = unitsOf(seen);
  const open = !SHIPPED.has(seen.status);
  if (now.size === 0 && captured.size > 0 && open) return { fewer: [], more: { why: 'the platform shows no line of it any more', key: NO_LINES } };
  // What was applied by a version before holds no units: our order has those that were captured.
  const last = was.units ?? Object.fromEntries(captured);
  const fewer = [...captured].flatMap(([lineId, units]) => {
    const left = now.get(lineId) ?? (open ? 0 : units);
    return left < Math.min(last[lineId] ?? 0, units) ? [{ lineId, cancelled: units - left }] : [];
  });
  const more = [...now].filter(([lineId, units]) => units > (last[lineId] ?? 0)).sort(([a], [b]) => (a < b ? -1 : 1));
  return { fewer, more: more.length === 0 ? null : { why: `the platform has more of it than was captured: ${more.map(([lineId, units]) => `line ${lineId}: ${units} (${captured.get(lineId) ?? 0})`).join(', ')}`, key: `lines:${more.map(([lineId, units]) => `${lineId}=${units}`).join(',')}` } };
}

/** What tells one address from another: the platform's token where it has one. Null: the order shows none (any more). */
export function addressKey(seen: SeenOrder): string | null {
  const a = seen.address;
  return a === null ? null : a.token ?? [a.name, a.phone, a.country, a.province, a.city, a.district ?? '', a.street, a.postcode ?? ''].join('\n');
}

function keptKey(seen: SeenOrder, keep: Keep): string | null {
  const key = addressKey(seen);
  return key === null ? null : keep(key);
}

/** What it costs: prices and discounts of its lines, discounts on all of it, freight. */
function keptMoney(seen: SeenOrder, keep: Keep): string {
  const off = (discounts: SeenOrder['discounts']): unknown[] => discounts.map((d) => [d.bearer, d.amount]);
  return keep(JSON.stringify([seen.freight, off(seen.discounts), ...seen.lines.map((l) => [l.lineId, l.unitPrice, off(l.discounts)])]));
}

/** What is applied of an order by its capture alone, in this state: how it is paid, where it goes, what it costs, its units. */
export function firstApplied(seen: SeenOrder, keep: Keep): Applied {
  return {
    version: seen.version, status: seen.status === 'unpaid' ? 'unpaid' : 'to_ship', paid: seen.paidAt !== null || seen.cashOnDelivery, addressKey: keptKey(seen, keep), cancelled: {}, afterSales: {},
    units: Object.fromEntries(unitsOf(seen)), money: keptMoney(seen, keep),
  };
}

/** Of an order of which nobody noted in what state it was captured: whatever may have changed is done, which changes nothing where it has not. */
const unknownState = (seen: SeenOrder): Applied => ({ version: -1, status: 'unpaid', paid: seen.cashOnDelivery || seen.onAccount === true, addressKey: null, cancelled: {}, afterSales: {} });

/** What is kept of a state whose order we do not have: a reading from before it, which comes later, is known by that. */
export const lastSeen = (seen: SeenOrder, keep: Keep): Applied => ({ ...firstApplied(seen, keep), status: seen.status });

/** What is applied once all steps of a state are done. */
export function appliedOf(seen: SeenOrder, before: Applied | null, keep: Keep): Applied {
  const claims = seen.afterSales.filter((a) => a.status === 'requested').map((a) => [a.id, a.version > 0 ? a.version : seen.version] as const);
  return {
    version: seen.version, status: seen.status, paid: (before?.paid ?? false) || seen.paidAt !== null || seen.cashOnDelivery, addressKey: keptKey(seen, keep) ?? before?.addressKey ?? null,
    cancelled: Object.fromEntries(seen.lines.map((l: SeenLine) => [l.lineId, l.cancelled])), afterSales: Object.fromEntries(seen.afterSales.map((a) => [a.id, a.status])),
    ...((seen.keptBack ?? null) === null ? {} : { keptBack: true }), units: Object.fromEntries(unitsOf(seen)), money: keptMoney(seen, keep), ...(claims.length === 0 ? {} : { claims: Object.fromEntries(claims) }),
  };
}

/**
 * What is applied where some steps could not be taken: their parts stay as they were, so that the next reading asks for them again, and for nothing else. `captured`: as of nextSteps.
 */
export function appliedBut(open: readonly Step[], seen: SeenOrder, before: Applied | null, keep: Keep, captured: ReadonlyMap<string, number>): Applied {
  const was = before ?? unknownState(seen);
  const done = appliedOf(seen, before, keep);
  const not = (step: Step['do']): boolean => open.some((s) => s.do === step);
  if (open.some((s) => s.do === 'hold_changed' && s.key === LIVES_AGAIN)) return was;
  const afterSales: Record<string, SeenAfterSale['status']> = { ...done.afterSales };
  for (const s of open) {
    if (s.do !== 'refund' && s.do !== 'return' && s.do !== 'close_after_sale') continue;
    const last = was.afterSales[s.afterSale.id];
    // The order may wait for one that was decided before it was first seen, too: it is asked for, so that its end is known as one.
    if (last === undefined && s.afterSale.status === 'requested') delete afterSales[s.afterSale.id];
    else afterSales[s.afterSale.id] = last ?? 'requested';
  }
  const { keptBack: _, money, ...rest } = done;
  const asBefore = not('reprice') ? was.money : money;
  return {
    ...rest, afterSales: not('cancel') ? was.afterSales : afterSales, units: unitsBut(open, was.units ?? Object.fromEntries(captured), done.units ?? {}),
    ...(asBefore === undefined ? {} : { money: asBefore }), ...(not('reprice') ? { repricing: true } : {}),
    ...((not('keep_back') ? false : not('let_go') || done.keptBack === true) ? { keptBack: true } : {}),
    ...(not('cancel') || not('issue_by_platform') ? { status: was.status } : {}), ...(not('pay') ? { paid: was.paid } : {}), ...(not('change_address') ? { addressKey: was.addressKey } : {}),
  };
}

/** Units of lines of which less could not be cancelled, or of which there is more than before, stay as they were. */
function unitsBut(open: readonly Step[], last: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): Record<string, number> {
  if (open.some((s) => s.do === 'hold_changed' && s.key === NO_LINES)) return { ...last };
  const left = new Set(open.flatMap((s) => (s.do === 'cancel_units' ? s.lines.map((l) => l.lineId) : [])));
  const more = open.some((s) => s.do === 'hold_changed');
  const units: Record<string, number> = {};
  for (const lineId of new Set([...Object.keys(last), ...Object.keys(now)])) {
    const as = left.has(lineId) || (more && (now[lineId] ?? 0) > (last[lineId] ?? 0)) ? last[lineId] : now[lineId];
    if (as !== undefined) units[lineId] = as;
  }
  return units;
}

/** Names what a step would do: the same for the same step, asked for by another reading. */
export function stepKey(step: Step, seen: SeenOrder, keep: Keep): string {
  switch (step.do) {
    case 'hold_changed': return step.key;
    case 'reprice': return `reprice:${keptMoney(seen, keep)}`;
    case 'change_address': return `change_address:${keptKey(seen, keep) ?? ''}`;
    case 'cancel_units': return `cancel_units:${step.lines.map((l) => `${l.lineId}=${l.cancelled}`).join(',')}`;
    case 'refund': case 'return': case 'close_after_sale': return `${step.do}:${step.afterSale.id}:${step.afterSale.status}`;
    default: return step.do;
  }
}
