/** What a location was given in the last weeks: taken, and given back or left without an answer. */
export type Given = { accepted: number; rejected: number };

/** So many orders of the whole network count with a location's own: one that has had few is judged near the others. */
const PRIOR_ORDERS = 20;
/** What is supposed of a network without any history, as so many orders of which all but one were taken. */
const FIRST: Given = { accepted: 19, rejected: 1 };

/**
 * The probability that a location accepts, per mille: the mean of the Beta posterior, (a + αm) ⁄ (a + r + α), with a prior of α = 20 orders at the network's own rate m. Beta is the
 * conjugate prior of a rate: Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4; taking its mean from the population is the empirical Bayes of section 5.1.
 */
export function acceptance(own: Given, network: Given): number {
  const all = { accepted: network.accepted + FIRST.accepted, rejected: network.rejected + FIRST.rejected };
  const mean = all.accepted / (all.accepted + all.rejected);
  return Math.round((1000 * (own.accepted + PRIOR_ORDERS * mean)) / (own.accepted + own.rejected + PRIOR_ORDERS));
}

/** The probability that a carrier's parcel comes late, per mille: the same mean, of late parcels, with a prior of as many at the rate of all carriers in the zone. */
export function lateRisk(own: { parcels: number; onTime: number }, zone: { parcels: number; onTime: number }): number {
  return 1000 - acceptance({ accepted: own.onTime, rejected: own.parcels - own.onTime }, { accepted: zone.onTime, rejected: zone.parcels - zone.onTime });
}
