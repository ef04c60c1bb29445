import type { CostTerm, InstancePlan } from './model.ts';

const TERMS: Record<CostTerm, string> = {
  shipping: 'shipping', handling: 'handling', lateness: 'being late', load: 'a busy location', opportunity: 'its last units', slowCredit: 'slow stock cleared', settlement: 'the dealer\'s settlement', rejection: 'the risk of a rejection',
};
/** Locations whose rejection is told one by one. */
const MOST_REJECTED = 20;

/** A plan as an operator reads it. Money in minor units. */
export function inWords(plan: InstancePlan): string[] {
  const words = [`Policy ${plan.policy.code}, version ${plan.policy.version}: ${plan.reasons.join('; ')}.`];
  for (const s of plan.shipments) {
    const costs = (Object.keys(TERMS) as CostTerm[]).filter((term) => (s.terms[term] ?? 0) !== 0).map((term) => `${s.terms[term] ?? 0} for ${TERMS[term]}`);
    words.push(`${s.location} sends ${s.lines.map((l) => `${l.quantity} × ${l.sku}`).join(', ')} with ${s.carrier}${s.service === undefined ? '' : ` (${s.service})`}, hands over on ${s.shipsAt.slice(0, 10)}, arrives on ${s.arrivesAt.slice(0, 10)}; it costs ${s.cost}: ${costs.join(', ')}.`);
  }
  if (plan.splitPenalty > 0) words.push(`${plan.shipments.length} shipments: ${plan.splitPenalty} for the split. Together ${plan.cost}.`);
  for (const { location, reason } of plan.rejected.slice(0, MOST_REJECTED)) words.push(`Not ${location}: ${reason}.`);
  if (plan.rejected.length > MOST_REJECTED) words.push(`And ${plan.rejected.length - MOST_REJECTED} more locations, each with its reason in the plan.`);
  return words;
}
