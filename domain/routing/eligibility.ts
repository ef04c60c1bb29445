import type { EligibilityRule, FulfilmentWay, InstanceLocation, InstanceOrder, InstancePolicy } from './model.ts';

const names = (rule: EligibilityRule, { code, kind }: Pick<InstanceLocation, 'code' | 'kind'>): boolean => (rule.locations?.includes(code) ?? false) || (rule.kinds?.includes(kind) ?? false);

/** Why a policy's eligibility rules keep a location from an order, in words; null where they do not. */
export function barred(location: Pick<InstanceLocation, 'code' | 'kind'>, { channel, way = 'ship' }: Pick<InstanceOrder, 'channel' | 'way'>, { eligibility }: Pick<InstancePolicy, 'eligibility'>): string | null {
  const rule = eligibility?.find((r) => concerns(r, channel, way) && names(r, location) !== (r.mode === 'only'));
  if (!rule) return null;
  const orders = [rule.ways ? `${way} orders` : 'orders', rule.channels ? `of channel ${channel}` : ''].filter(Boolean).join(' ');
  return rule.mode === 'never' ? `the policy never serves ${orders} from there` : `the policy serves ${orders} only from ${[...rule.locations ?? [], ...(rule.kinds ?? []).map((k) => `any ${k}`)].join(', ')}`;
}

function concerns(rule: EligibilityRule, channel: string, way: FulfilmentWay): boolean {
  return (rule.channels?.includes(channel) ?? true) && (rule.ways?.includes(way) ?? true);
}
