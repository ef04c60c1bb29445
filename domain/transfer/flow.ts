/**
 * proposed → approved (units are set aside at the sender) → picking → shipped (on its way: a supply of the receiver) → received → closed;
 * cancelled from each of the first three.
 */
export const TRANSFER_STATUSES = ['proposed', 'approved', 'picking', 'shipped', 'received', 'closed', 'cancelled'] as const;
export type TransferStatus = (typeof TRANSFER_STATUSES)[number];

/** What PostgreSQL says of a transfer; dates ISO 8601. `late`, `overdue`: its people were told already. */
export type TransferFacts = {
  status: TransferStatus; decideBy: string; shipBy: string | null; giveUpAt: string | null; expectedAt: string | null; late: boolean; overdue: boolean;
};
export type TransferStep = { do: 'lapse' | 'warn_late' | 'give_up' | 'warn_overdue' | 'close' } | { do: 'wait'; until: string } | { do: 'finish' };

/** How often somebody looks at a transfer that is long overdue: people have been told, only they can help it. */
const SWEEP_MS = 86_400_000;

/** The next step of a transfer by itself; the others are commands of people and locations. */
export function nextTransferStep(facts: TransferFacts, nowIso: string): TransferStep {
  const now = Date.parse(nowIso);
  const due = (at: string): boolean => Date.parse(at) <= now;
  const sweep = (): TransferStep => ({ do: 'wait', until: new Date(now + SWEEP_MS).toISOString() });
  switch (facts.status) {
    case 'proposed': return due(facts.decideBy) ? { do: 'lapse' } : { do: 'wait', until: facts.decideBy };
    case 'approved':
    case 'picking':
      if (facts.giveUpAt !== null && due(facts.giveUpAt)) return { do: 'give_up' };
      if (facts.shipBy !== null && !facts.late) return due(facts.shipBy) ? { do: 'warn_late' } : { do: 'wait', until: facts.shipBy };
      return facts.giveUpAt === null ? sweep() : { do: 'wait', until: facts.giveUpAt };
    case 'shipped':
      if (facts.expectedAt === null || facts.overdue) return sweep();
      return due(facts.expectedAt) ? { do: 'warn_overdue' } : { do: 'wait', until: facts.expectedAt };
    case 'received': return { do: 'close' };
    case 'closed':
    case 'cancelled': return { do: 'finish' };
  }
}
