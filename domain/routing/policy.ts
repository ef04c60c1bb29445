import { Problem } from '../problem.ts';
import { checkPolicy } from './check.ts';
import type { FulfilmentWay, InstancePolicy, RoutingWeights } from './model.ts';
import { KIND_RANK } from './types.ts';

/** Shipments of one order that a policy in effect may allow. An instance that is only asked about may allow more. */
export const MOST_SHIPMENTS = 12;
const MOST_VERSIONS = 2_147_483_647;
const MOST_MINOR = 1_000_000_000;
const MOST_PER_MILLE = 1_000_000;

/**
 * Most that each weight may be: money in minor units, the others per mille. Costs are counted in thousandths of a minor unit and kept as such with each decision; a weight beyond
 * any use would leave the integers that are exact, and no order could be routed.
 */
const MOST: Readonly<Record<keyof RoutingWeights, number>> = {
  shipping: MOST_PER_MILLE, handling: MOST_PER_MILLE, splitPenalty: MOST_MINOR, latenessPerDay: MOST_MINOR, loadBalance: MOST_MINOR, opportunity: MOST_PER_MILLE, slowCredit: MOST_PER_MILLE,
  settlement: MOST_PER_MILLE, rejection: MOST_MINOR,
};
/** Weights that a policy may leave out: those of before they were known. */
const OPTIONAL: ReadonlySet<keyof RoutingWeights> = new Set(['rejection']);

/**
 * Whether a policy may be kept to rule over orders: what `checkPolicy` asks of any instance, and the bounds within which every order can be routed. Relies on no schema.
 * `at`: JSON pointer of the policy. Throws Problem `unprocessable`, its `field` a JSON pointer.
 */
export function validatePolicy(policy: InstancePolicy, at = ''): void {
  checkPolicy(policy, at);
  whole(policy.version, 1, MOST_VERSIONS, 'version', `${at}/version`);
  whole(policy.maxShipments, 1, MOST_SHIPMENTS, 'maxShipments', `${at}/maxShipments`);
  whole(policy.minShipmentValue, 0, MOST_MINOR, 'minShipmentValue', `${at}/minShipmentValue`);
  policy.kinds.forEach((kind, i) => {
    if (!Object.hasOwn(KIND_RANK, kind)) throw new Problem('unprocessable', `"${kind}" is no kind of location: ${Object.keys(KIND_RANK).join(', ')}`, `${at}/kinds/${i}`);
    if (policy.kinds.indexOf(kind) !== i) throw new Problem('unprocessable', `kind ${kind} is there twice`, `${at}/kinds/${i}`);
  });
  const dealers: string = policy.dealers;
  if (dealers !== 'after_own' && dealers !== 'equal') throw new Problem('unprocessable', `dealers is "${dealers}": after_own or equal`, `${at}/dealers`);
  checkEligibility(policy, at);
  for (const name of Object.keys(policy.weights)) {
    if (!Object.hasOwn(MOST, name)) throw new Problem('unprocessable', `there is no weight ${name}`, `${at}/weights/${name}`);
  }
  for (const name of Object.keys(MOST) as (keyof RoutingWeights)[]) if (!OPTIONAL.has(name) || policy.weights[name] !== undefined) whole(policy.weights[name] ?? Number.NaN, 0, MOST[name], `weight ${name}`, `${at}/weights/${name}`);
}

const WAYS: readonly string[] = ['ship', 'pickup', 'curbside', 'ship_to_store'] satisfies FulfilmentWay[];

function checkEligibility({ eligibility, kinds }: InstancePolicy, at: string): void {
  eligibility?.forEach((rule, i) => {
    const wrong = (message: string, field: string): Problem => new Problem('unprocessable', message, `${at}/eligibility/${i}/${field}`);
    const mode: string = rule.mode;
    if (mode !== 'only' && mode !== 'never') throw wrong(`mode is "${mode}": only or never`, 'mode');
    if ((rule.locations?.length ?? 0) + (rule.kinds?.length ?? 0) === 0) throw wrong('the rule names no location: give locations or kinds', 'locations');
    rule.kinds?.forEach((kind, k) => { if (!Object.hasOwn(KIND_RANK, kind)) throw wrong(`"${kind}" is no kind of location: ${Object.keys(KIND_RANK).join(', ')}`, `kinds/${k}`); });
    rule.ways?.forEach((way, k) => { if (!WAYS.includes(way)) throw wrong(`"${way}" is no way of fulfilment: ${WAYS.join(', ')}`, `ways/${k}`); });
    for (const name of ['channels', 'ways'] as const) if (rule[name]?.length === 0) throw wrong(`the rule concerns no order: leave ${name} out for all of them`, name);
    const everyOrder = rule.channels === undefined && rule.ways === undefined;
    if (everyOrder && mode === 'never' && kinds.every((k) => rule.kinds?.includes(k))) throw wrong('the policy would ship from nowhere: this rule bars every kind that it ships from', 'kinds');
    if (everyOrder && mode === 'only' && rule.locations === undefined && !rule.kinds?.some((k) => kinds.includes(k))) throw wrong('the policy would ship from nowhere: this rule allows no kind that it ships from', 'kinds');
  });
}

function whole(value: number, least: number, most: number, what: string, field: string): void {
  if (!Number.isInteger(value) || value < least || value > most) throw new Problem('unprocessable', `${what} is ${String(value)}: a whole number from ${least} to ${most}`, field);
}
