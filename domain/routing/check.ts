import { Problem } from '../problem.ts';
import { SCALE } from './exact/cost.ts';
import type { InstancePolicy, RoutingInstance, RoutingWeights } from './model.ts';
import { urgent } from './urgent.ts';

const DAY_MS = 86_400_000;

/** Dates, names that must not repeat, and policies that nothing can meet: what a schema does not see. Throws Problem with a JSON pointer. */
export function checkInstance(instance: RoutingInstance): void {
  const { order, locations, rates, policy } = instance;
  checkPolicy(policy, '/policy');
  if (order.promisedBy !== null) date(order.promisedBy, '/order/promisedBy');
  once(order.lines.map((l) => l.line), (i) => `/order/lines/${i}/line`, 'line');
  once(locations.map((l) => l.code), (i) => `/locations/${i}/code`, 'location');
  once(rates.map((r) => `${r.carrier}${r.service === undefined || r.service === 'standard' ? '' : ` (${r.service})`} in zone ${r.zone}`), (i) => `/rates/${i}`, 'rate of carrier');
  locations.forEach((l, i) => { if (l.shipsAt !== null) date(l.shipsAt, `/locations/${i}/shipsAt`); });
  if (order.forcedLocation !== undefined && !locations.some((l) => l.code === order.forcedLocation)) throw new Problem('unknown_location', `location "${order.forcedLocation}" is forced and not among the locations`, '/order/forcedLocation');
  if (order.forcedCarrier !== undefined && !rates.some((r) => r.carrier === order.forcedCarrier)) throw new Problem('unknown_carrier', `carrier "${order.forcedCarrier}" is forced and has no rate`, '/order/forcedCarrier');
  checkAmounts(urgent(instance));
}

/** Throws Problem where a policy cannot be meant. `at`: JSON pointer of the policy. */
export function checkPolicy(policy: InstancePolicy, at: string): void {
  for (const name of Object.keys(policy.weights) as (keyof RoutingWeights)[]) {
    const value: number | undefined = policy.weights[name];
    if (value === undefined && name === 'rejection') continue; // an older policy knows nothing of it
    if (value === undefined || !Number.isSafeInteger(value) || value < 0) throw new Problem('unprocessable', `weight ${name} is ${String(value)}: a weight is a whole number, 0 or more`, `${at}/weights/${name}`);
  }
  if (policy.kinds.length === 0) throw new Problem('unprocessable', 'a policy that ships from no kind of location serves nobody', `${at}/kinds`);
  if (policy.maxShipments < 1) throw new Problem('unprocessable', 'at least one shipment must be allowed', `${at}/maxShipments`);
}

function date(text: string, field: string): void {
  if (Number.isNaN(Date.parse(text))) throw new Problem('invalid', `"${text}" is no date`, field);
}

function once(names: readonly (string | number)[], field: (i: number) => string, what: string): void {
  const seen = new Set<string | number>();
  names.forEach((name, i) => {
    if (seen.has(name)) throw new Problem('unprocessable', `${what} ${name} is there twice`, field(i));
    seen.add(name);
  });
}

/** Costs are added up as whole thousandths: where they could pass what a number holds exactly there is no optimum to be proved. */
function checkAmounts({ order, locations, rates, policy: { weights: w, maxShipments } }: RoutingInstance): void {
  const most = <T>(list: readonly T[], value: (one: T) => number): number => list.reduce((max, one) => Math.max(max, value(one)), 0);
  const sum = (value: (line: RoutingInstance['order']['lines'][number]) => number): number => order.lines.reduce((n, l) => n + l.quantity * value(l), 0);
  const [units, grams, volume] = [sum(() => 1), sum((l) => l.weightG), sum((l) => l.volumeMm3 ?? 0)];
  const unit = most(locations, (l) => w.handling * l.handling.perUnit
    + most(Object.values(l.stock), (s) => w.opportunity * (s.opportunity?.cost ?? 0) + w.slowCredit * (s.slowCredit ?? 0) + w.settlement * (s.settlement ?? 0)));
  const steps = most(rates, (r) => w.shipping * r.stepCost * (Math.max(grams, r.volumetricMm3PerG === undefined ? 0 : volume / r.volumetricMm3PerG) / r.stepG));
  const leaves = most(locations, (l) => (l.shipsAt === null ? 0 : Date.parse(l.shipsAt)));
  const days = order.promisedBy === null ? 0 : Math.max(0, (leaves - Date.parse(order.promisedBy)) / DAY_MS + most(rates, (r) => r.transitDays) + 3);
  const shipment = most(rates, (r) => w.shipping * (r.firstCost + r.stepCost)) + SCALE * (w.latenessPerDay * days + w.splitPenalty) + most(locations, (l) => w.handling * l.handling.perShipment + w.settlement * (l.settlementFee ?? 0) + w.loadBalance * l.load + SCALE * (w.rejection ?? 0));
  const total = units * unit + steps + Math.min(units, locations.length, maxShipments) * shipment;
  if (!(total <= Number.MAX_SAFE_INTEGER)) throw new Problem('unprocessable', 'amounts, units and weights are so large that the cost could not be counted exactly', '/order/lines');
}
