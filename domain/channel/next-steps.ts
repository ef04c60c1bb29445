import type { SeenAfterSale, SeenLine, SeenOrder, SeenStatus } from './seen-order.ts';

/** What has been done of a platform's order so far; `afterSales`: the status last acted on, by id. */
export type Applied = {
  version: number; status: SeenStatus; paid: boolean; addressKey: string | null; cancelled: Readonly<Record<string, number>>; afterSales: Readonly<Record<string, SeenAfterSale['status']>>;
  keptBack?: boolean;
};

export type Step =
  | { do: 'capture' }
  | { do: 'pay' }
  | { do: 'change_address' }
  /** the buyer asked, the platform waits for our word */
  | { do: 'answer_address' }
  | { do: 'cancel' }
  /** `cancelled`: all units of the line that are no more to be shipped, those of before included */
  | { do: 'cancel_units'; lines: { lineId: string; cancelled: number }[] }
  | { do: 'refund'; afterSale: SeenAfterSale }
  | { do: 'return'; afterSale: SeenAfterSale }
  | { do: 'close_after_sale'; afterSale: SeenAfterSale }
  /** the platform keeps it back, or lets it go again */
  | { do: 'keep_back'; why: string }
  | { do: 'let_go' }
  /** the platform's own warehouse has shipped */
  | { do: 'issue_by_platform' };

/** What is kept of an address: a keyed hash, the same for the same address. */
export type Keep = (addressKey: string) => string;

export type Verdict =
  | { verdict: 'steps'; steps: Step[] }
  | { verdict: 'ignore'; reason: 'older' | 'cancelled_before_capture' | 'shipped_before_capture' };

const SHIPPED: ReadonlySet<SeenStatus> = new Set(['shipped', 'done']);

/**
 * What an order's present state on its platform asks of us, given what was done before. States are compared, not events: lost, repeated and shuffled pushes lead to the same
 * end. An older state than the one applied is passed over. `keep`: how an address is kept to be compared, for what is applied lies outside the vault.
 */
export function nextSteps(applied: Applied | null, seen: SeenOrder, keep: Keep): Verdict {
  if (applied !== null && seen.version < applied.version) return { verdict: 'ignore', reason: 'older' };
  const steps: Step[] = [];
  if (applied === null) {
    if (seen.status === 'cancelled') return { verdict: 'ignore', reason: 'cancelled_before_capture' };
    // A shop that connects has a past; what its platform's warehouse shipped still moves stock.
    if (SHIPPED.has(seen.status) && seen.fulfilledBy === 'us') return { verdict: 'ignore', reason: 'shipped_before_capture' };
    steps.push({ do: 'capture' });
  }
  const was: Applied = applied ?? { version: -1, status: seen.status === 'unpaid' ? 'unpaid' : 'to_ship', paid: seen.paidAt !== null || seen.cashOnDelivery, addressKey: keptKey(seen, keep), cancelled: {}, afterSales: {} };
  if (seen.status === 'cancelled') {
    if (was.status !== 'cancelled') steps.push({ do: 'cancel' });
    return { verdict: 'steps', steps };
  }
  if (!was.paid && seen.paidAt !== null) steps.push({ do: 'pay' });
  const key = keptKey(seen, keep);
  // Versions before kept it as it is.
  if (key !== null && key !== was.addressKey && addressKey(seen) !== was.addressKey) steps.push({ do: 'change_address' });
  if (seen.wantedAddress !== null) steps.push({ do: 'answer_address' });
  const fewer = seen.lines.flatMap((l) => (l.cancelled > (was.cancelled[l.lineId] ?? (applied === null ? l.cancelled : 0)) ? [{ lineId: l.lineId, cancelled: l.cancelled }] : []));
  if (fewer.length > 0) steps.push({ do: 'cancel_units', lines: fewer });
  for (const afterSale of seen.afterSales) {
    const before = was.afterSales[afterSale.id];
    if (before === afterSale.status) continue;
    const open = afterSale.status === 'requested' || afterSale.status === 'agreed' || afterSale.status === 'goods_sent' || afterSale.status === 'done';
    if (open) steps.push({ do: afterSale.kind === 'refund' ? 'refund' : 'return', afterSale });
    else if (before !== undefined) steps.push({ do: 'close_after_sale', afterSale });
  }
  const why = seen.keptBack ?? null;
  if (why !== null && was.keptBack !== true && !SHIPPED.has(seen.status)) steps.push({ do: 'keep_back', why });
  if (why === null && was.keptBack === true) steps.push({ do: 'let_go' });
  if (seen.fulfilledBy === 'platform' && SHIPPED.has(seen.status) && !SHIPPED.has(was.status)) steps.push({ do: 'issue_by_platform' });
  return { verdict: 'steps', steps };
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

/** What is applied once all steps of a state are done. */
export function appliedOf(seen: SeenOrder, before: Applied | null, keep: Keep): Applied {
  return {
    version: seen.version, status: seen.status, paid: (before?.paid ?? false) || seen.paidAt !== null || seen.cashOnDelivery, addressKey: keptKey(seen, keep) ?? before?.addressKey ?? null,
    cancelled: Object.fromEntries(seen.lines.map((l: SeenLine) => [l.lineId, l.cancelled])), afterSales: Object.fromEntries(seen.afterSales.map((a) => [a.id, a.status])),
    ...((seen.keptBack ?? null) === null ? {} : { keptBack: true }),
  };
}
