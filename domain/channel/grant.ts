/** How much of a listing's stock is told to its platform. `stopped`: nothing is told, the platform keeps what it has; `zero`: it is told 0. */
export type PublishRule = { mode: 'on' | 'zero' | 'stopped'; sharePercent: number; buffer: number; cap: number | null };

/** Units that a platform may be shown of `free`: the share, less the buffer, at most the cap. */
export function publishable(free: number, rule: PublishRule): number {
  if (rule.mode !== 'on') return 0;
  return Math.max(0, Math.min(Math.floor((free * rule.sharePercent) / 100) - rule.buffer, rule.cap ?? Number.MAX_SAFE_INTEGER));
}

/**
 * The account of a listing. `granted`: units that the platform was ever allowed to sell, as it acknowledged them; `sold`: units of them in orders that we have captured (less those it put
 * back itself). A platform counts its own sales off at once, so it shows granted − all its sales. Our free stock has lost only the captured ones; keeping
 * granted = free + sold therefore shows it free − (sales on their way to us), however late they come, whereas writing `free` over its figure would give them back and sell them twice.
 */
export type Grant = { granted: number; sold: number };

/** What to add to the platform's figure (negative: take off) so that it may sell `target` more beyond what we know it has sold. */
export const delta = (grant: Grant, target: number): number => target + grant.sold - grant.granted;

/** What the platform should show, as far as we know of its sales. */
export const shown = (grant: Grant): number => grant.granted - grant.sold;

/**
 * The account as a reading proves it: the platform shows `sellable` and nothing was sold while its orders up to the reading were captured (two equal readings around the capture).
 * `drift`: how far the platform was from what it had been told.
 */
export function settle(grant: Grant, sellable: number): { granted: number; drift: number } {
  return { granted: sellable + grant.sold, drift: sellable - shown(grant) };
}

/** A change that cannot wait: little is left to sell, or less than is shown now. */
export function isUrgent(grant: Grant, target: number, urgentBelow: number): boolean {
  const change = delta(grant, target);
  return change !== 0 && (target <= urgentBelow || (change < 0 && shown(grant) <= urgentBelow));
}
