/**
 * When a canary is rolled back. `costWorse`: per mille by which its mean cost of an order may exceed the control's; `lateWorse`: per mille points by which its share of late orders may.
 * `confidence`: per mille; a canary that is not worse is rolled back with a chance of at most 1 − confidence, over all looks. `minOrders`: in each arm, before anything is judged.
 */
export type CanaryGuard = { minOrders: number; costWorse: number; lateWorse: number; confidence: number };
/** One arm. `cost`: money of the `routed` orders in minor units, with sample variance; `late`: orders late or not routable, of `orders`. */
export type ArmFigures = { orders: number; routed: number; costPerOrder: number; costVariance: number; late: number; unroutable: number };
export type CanaryVerdict = { worse: boolean; reason: string | null; costP: number | null; lateP: number | null };

/** Looks at the figures over the whole period: the allowed error is shared among them. */
export const LOOKS = 48;
const PER_MILLE = 1000;

/** Whether an order belongs to the canary's share (per mille): a stable hash of canary and order, FNV-1a with the finalizer of MurmurHash3 (UUIDs of one moment differ in few bits). */
export function inCanary(canaryId: string, orderId: string, share: number): boolean {
  let h = 0x811c9dc5;
  for (const text of [canaryId, orderId]) for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) % PER_MILLE < share;
}

/** Whether the canary is worse than the guard allows. One-sided: Welch's test on the mean cost, a test of two shares (each with one success and one failure more, Agresti and Caffo) on lateness. */
export function judgeCanary(guard: CanaryGuard, canary: ArmFigures, control: ArmFigures): CanaryVerdict {
  // Two tests at each look.
  const alpha = (1 - guard.confidence / PER_MILLE) / (2 * LOOKS);
  const costP = canary.routed < guard.minOrders || control.routed < guard.minOrders ? null : costTest(canary, control, 1 + guard.costWorse / PER_MILLE);
  const lateP = canary.orders < guard.minOrders || control.orders < guard.minOrders ? null : shareTest(canary, control, guard.lateWorse / PER_MILLE);
  const reasons: string[] = [];
  if (costP !== null && costP < alpha) reasons.push(`an order costs ${canary.costPerOrder.toFixed(2)} instead of ${control.costPerOrder.toFixed(2)}, more than ${guard.costWorse} ‰ beyond (p = ${costP.toExponential(1)})`);
  if (lateP !== null && lateP < alpha) reasons.push(`${canary.late} of ${canary.orders} orders are late or cannot be routed instead of ${control.late} of ${control.orders}, more than ${guard.lateWorse} ‰ points beyond (p = ${lateP.toExponential(1)})`);
  return { worse: reasons.length > 0, reason: reasons.length > 0 ? reasons.join('; ') : null, costP, lateP };
}

function costTest(canary: ArmFigures, control: ArmFigures, factor: number): number {
  const difference = canary.costPerOrder - control.costPerOrder * factor;
  const error = Math.sqrt(canary.costVariance / canary.routed + (factor * factor * control.costVariance) / control.routed);
  return error === 0 ? (difference > 0 ? 0 : 1) : upperTail(difference / error);
}

function shareTest(canary: ArmFigures, control: ArmFigures, margin: number): number {
  const [a, b] = [(canary.late + 1) / (canary.orders + 2), (control.late + 1) / (control.orders + 2)];
  return upperTail((a - b - margin) / Math.sqrt((a * (1 - a)) / (canary.orders + 2) + (b * (1 - b)) / (control.orders + 2)));
}

/** P(Z > z) of the standard normal law: erfc by Chebyshev fitting, relative error below 1.2e-7 (Press et al., Numerical Recipes in C, 6.2). */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series = [-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277].reduceRight((sum, c) => sum * t + c, 0);
  const half = 0.5 * t * Math.exp(-x * x + series);
  return z >= 0 ? half : 1 - half;
}
