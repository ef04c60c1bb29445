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

/** Units that its platform shows too few of, the fewest since then; ms since epoch. `taken`: units that were sold or held here at that time. */
export type Short = { units: number; since: number; taken: number };
/** `maybe`: changes of which nobody knows whether they arrived, as units. */
export type Account = Grant & { opened: boolean; maybe: readonly number[]; short: Short | null };
/**
 * Two readings of a platform's figure, between which every order that it had sold by the first was taken. `open`: units of its orders that are not in `sold`, and off its figure all the same (orders that we hold). `before`: what both were
 * before the second reading was taken. `last`: it
 * is not read again. `hidden`: orders that are not paid yet are off its figure and shown nowhere, for at most so long, ms; null: there are none such. Orders that were given up count as well.
 */
export type Readings = { first: number; second: number; open: number; before: number; last: boolean; hidden: number | null; now: number };
export type Settled = { granted: number; drift: number; short: Short | null };

/** More changes in a row whose answers are lost are not told apart: then the figure alone counts. */
const MAYBES = 8;
const sums = (from: number, changes: readonly number[]): number[] => changes.reduce((all, change) => [...new Set([...all, ...all.map((sum) => sum + change)])], [from]);

/**
 * The account as readings prove it; null: they don't, read again. By the first reading everything sold was taken, perhaps more since: the platform was granted no more than it tells. By the second it may have sold what
 * we don't know of: no less than it tells (where it has put units back meanwhile it is the other way round). An account within those bounds stands. Where they leave a choice the greater one counts: too much granted shows too little, too little sells twice. `drift`: how far the
 * platform was from what it had been told.
 */
export function settle(account: Account, r: Readings): Settled | null {
  const [low, high] = [Math.min(r.first, r.second) + r.before, Math.max(r.first, r.second) + account.sold + r.open];
  const known = account.opened ? sums(account.granted, account.maybe.slice(-MAYBES)) : [];
  const exact = low === high ? known.find((g) => g === low) : undefined;
  if (exact !== undefined) return { granted: exact, drift: 0, short: null };
  const most = Math.max(...known);
  if (known.length > 0 && most >= low && r.hidden !== null) return missing(account.short, { granted: most, taken: account.sold + r.open }, Math.max(0, most - high), r.hidden, r.now);
  const within = known.filter((g) => g >= low && g <= high);
  if (within.length > 0) return { granted: Math.max(...within), drift: 0, short: null };
  if (low < high && !r.last) return null;
  return { granted: high, drift: known.length === 0 ? 0 : high - account.granted, short: null };
}

/**
 * What a platform shows too few of may be held there for buyers who have not paid: it is theirs until no such order can be that old. Of the fewest that were missing all the while those are not gone whose orders have come
 * since; and where so many are bought as many may wait for payment today, others each time. So a listing that sells must sell less in that time than is missing, and its sales are taken off; where nothing is left it
 * begins anew. At the latest that is told when it has sold out, and nobody can hold anything any more: too few are shown till then, and never too many.
 */
function missing(before: Short | null, { granted, taken }: { granted: number; taken: number }, units: number, hidden: number, now: number): Settled {
  if (units === 0) return { granted, drift: 0, short: null };
  const short: Short = before === null ? { units, since: now, taken } : { ...before, units: Math.min(before.units, units) };
  const gone = short.units - Math.max(0, taken - short.taken);
  if (gone <= 0) return { granted, drift: 0, short: { units, since: now, taken } };
  return now - short.since < hidden ? { granted, drift: 0, short } : { granted: granted - gone, drift: -gone, short: null };
}

/** A change that cannot wait: little is left to sell, or less than is shown now. */
export function isUrgent(grant: Grant, target: number, urgentBelow: number): boolean {
  const change = delta(grant, target);
  return change !== 0 && (target <= urgentBelow || (change < 0 && shown(grant) <= urgentBelow));
}
