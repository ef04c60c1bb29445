import { shortProbability, type NegativeBinomial } from './negative-binomial.ts';

/** Somebody who wants `level − position` units. */
export type Claim = { position: number; level: number; law: NegativeBinomial };

/**
 * Shares out a source that is too short: each unit goes to the claim most likely to run out without it, until the source is empty or every claim is at its level. So the
 * chances of running out end as equal as whole units allow, which serves most demand (Eppen & Schrage 1981, Centralized ordering policies in a multi-warehouse
 * system; fair shares: Jönsson & Silver 1987, Naval Research Logistics 34). Of equal claims the first. Answers the units of each claim, in their order.
 */
export function fairShare(units: number, claims: readonly Claim[]): number[] {
  const given = claims.map(() => 0);
  const chance = claims.map((c) => (c.position < c.level ? shortProbability(c.law, c.position) : -1));
  for (let left = Math.floor(units); left > 0; left--) {
    let best = -1;
    chance.forEach((p, i) => { if (p >= 0 && (best < 0 || p > (chance[best] ?? -1))) best = i; });
    const claim = claims[best];
    if (!claim) break;
    const now = (given[best] ?? 0) + 1;
    given[best] = now;
    chance[best] = claim.position + now < claim.level ? shortProbability(claim.law, claim.position + now) : -1;
  }
  return given;
}
