import { owed } from '../../domain/settlement/terms.ts';
import type { InstancePlan, RoutingInstance } from '../../domain/routing/model.ts';
import type { Network } from '../network.ts';
import { partiesOf, termsAt } from '../settlement/terms.ts';
import { shipmentMoney } from './decisions.ts';
import type { OpenLine, Reader } from './reader.ts';

/** By `location|sku`: what dealers and vendors would be owed for a unit, minor units, or why nobody can tell; by location: the fee for a shipment. */
export type Settlements = { costs: ReadonlyMap<string, number>; barred: ReadonlyMap<string, string>; fees: ReadonlyMap<number, { settlementFee: number }> };
export const NO_SETTLEMENTS: Settlements = { costs: new Map(), barred: new Map(), fees: new Map() };

/** What dealers and vendors would be owed as these lines pay for it. What is settled in another currency than the order is paid in cannot be added to its costs: such dealers are asked for nothing that has a term, and no fee of theirs counts. */
export async function settlementCosts(tx: Reader, network: Network, channelId: number, ids: readonly number[], lines: readonly OpenLine['line'][], skuIds: readonly number[]): Promise<Settlements> {
  const others = ids.filter((id) => { const kind = network.locationById.get(id)?.kind; return kind === 'dealer' || kind === 'vendor'; });
  if (others.length === 0) return NO_SETTLEMENTS;
  const [terms, parties] = [await termsAt(tx, others, skuIds, tx.now), await partiesOf(tx, others)];
  const paid = network.channelById.get(channelId)?.currency;
  const [costs, barred] = [new Map<string, number>(), new Map<string, string>()];
  for (const [key, term] of terms) {
    const [at, sku] = key.split('|').map(Number);
    const line = lines.find((l) => l.skuId === sku);
    const currency = parties.get(at ?? 0)?.currency;
    if (currency !== paid) barred.set(key, `its ${'price' in term ? 'price' : 'share'} is settled in ${currency ?? ''}, the order is paid in ${paid ?? ''}`);
    else costs.set(key, owed(term, 1, line ? Math.round((line.priced.netAmount - (line.priced.freightShare ?? 0)) / line.quantity) : 0));
  }
  return { costs, barred, fees: new Map([...parties].flatMap(([id, { fee, currency }]) => (fee > 0 && currency === paid ? [[id, { settlementFee: fee }] as const] : []))) };
}

/**
 * What each shipment of a plan costs as it is paid, minor units: the same whatever the policy weighs, so that policies can be compared. An instance whose policy does not weigh settlements has none of them, and stays as it is:
 * what the chosen dealers and vendors would be owed is read for the money alone.
 */
export async function moneyOfPlan(tx: Reader, network: Network, channelId: number, lines: readonly OpenLine[], instance: RoutingInstance, plan: InstancePlan): Promise<number[]> {
  const chosen = plan.shipments.flatMap((s) => network.locations.get(s.location)?.id ?? []);
  const skuIds = [...new Set(lines.flatMap(({ line }) => line.skuId ?? []))];
  const { costs, fees } = instance.policy.weights.settlement > 0 ? NO_SETTLEMENTS : await settlementCosts(tx, network, channelId, chosen, lines.map(({ line }) => line), skuIds);
  return plan.shipments.map((s) => {
    const id = network.locations.get(s.location)?.id ?? 0;
    return s.lines.reduce((sum, { line, quantity }) => sum + (costs.get(`${id}|${lines.find((l) => l.line.lineNo === line)?.line.skuId ?? 0}`) ?? 0) * quantity, shipmentMoney(instance, s) + (fees.get(id)?.settlementFee ?? 0));
  });
}
