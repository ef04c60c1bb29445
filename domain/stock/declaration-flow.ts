import type { DeclarationStatus } from './declaration.ts';

/** What PostgreSQL says of a declaration. Dates ISO 8601. `unpaid`: reserved units of orders that are not paid yet; `reserved`: all reserved units. */
export type DeclarationFacts = {
  status: DeclarationStatus; startsAt: string; endsAt: string; settleBy: string; unpaid: number; nextPaymentDue: string | null; reserved: number;
};
export type DeclarationStep = { do: 'go_live' | 'end' | 'settle' } | { do: 'wait'; until: string } | { do: 'finish' };

const SOON_MS = 5_000;
/** After the settlement: how often is looked for units that cancellations have freed. */
const SWEEP_MS = 600_000;

/** The next step of a session. Units that become free after the end go home with every look, whatever the step. */
export function nextDeclarationStep(facts: DeclarationFacts, nowIso: string): DeclarationStep {
  const now = Date.parse(nowIso);
  const later = (ms: number): string => new Date(ms).toISOString();
  switch (facts.status) {
    case 'declared': return Date.parse(facts.startsAt) <= now ? { do: 'go_live' } : { do: 'wait', until: facts.startsAt };
    case 'live': return Date.parse(facts.endsAt) <= now ? { do: 'end' } : { do: 'wait', until: facts.endsAt };
    case 'settling': {
      const settleBy = Date.parse(facts.settleBy);
      if (facts.unpaid === 0 || settleBy <= now) return { do: 'settle' };
      // An unpaid order is paid by a person or expired by PostgreSQL a moment after its date.
      const due = facts.nextPaymentDue === null ? 0 : Date.parse(facts.nextPaymentDue) + SOON_MS;
      return { do: 'wait', until: later(Math.min(settleBy, Math.max(now + SOON_MS, due))) };
    }
    case 'settled':
    case 'cancelled': return facts.reserved === 0 ? { do: 'finish' } : { do: 'wait', until: later(now + SWEEP_MS) };
  }
}
