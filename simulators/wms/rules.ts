import { chance } from '../shared/chance.ts';
import { REJECT_REASONS, type OrderFacts, type RejectReason } from './order.ts';

/** One rule of `PUT /_control/rules`: every given condition must hold; `rate` (default 1) picks by the order's id. */
export interface Rule {
  readonly sku?: string;
  readonly locationCode?: string;
  readonly fulfillmentOrderId?: string;
  readonly rate?: number;
  readonly action: 'reject' | 'short_pick' | 'silent' | 'refuse_cancel';
  readonly reason?: string;
  /** What is missing of each line that the rule hits (short_pick); default 1. */
  readonly quantity?: number;
}

const common = {
  sku: { type: 'string', minLength: 1 },
  locationCode: { type: 'string', minLength: 1 },
  fulfillmentOrderId: { type: 'string', minLength: 1 },
  rate: { type: 'number', minimum: 0, maximum: 1 },
} as const;

function variant(actions: readonly string[], more: Record<string, unknown>): Record<string, unknown> {
  return {
    type: 'object', required: ['action'], additionalProperties: false,
    properties: { ...common, action: { enum: actions }, ...more },
  };
}

export const rulesSchema = {
  type: 'array',
  items: {
    anyOf: [
      variant(['reject'], { reason: { enum: REJECT_REASONS } }),
      variant(['short_pick'], { quantity: { type: 'integer', minimum: 1 } }),
      variant(['silent'], {}),
      variant(['refuse_cancel'], { reason: { enum: ['packed', 'handed_over'] } }),
    ],
  },
} as const;

type Missing = readonly { readonly lineNo: number; readonly quantity: number }[];

/** Rules and base rates: what a location does with an order. Every answer depends on the seed and the order only. */
export class Decisions {
  #rules: readonly Rule[] = [];
  readonly #seed: string;
  readonly #rejectRate: number;
  readonly #shortRate: number;

  constructor(seed: string, rejectRate: number, shortRate: number) {
    this.#seed = seed;
    this.#rejectRate = rejectRate;
    this.#shortRate = shortRate;
  }

  replace(rules: readonly Rule[]): void {
    this.#rules = rules;
  }

  /** The first rule that rejects or stays silent wins; without one the base rate decides. */
  onAccept(order: OrderFacts): 'accept' | 'silent' | { readonly reject: RejectReason } {
    const rule = this.#find(order, ['reject', 'silent']);
    if (rule?.action === 'silent') return 'silent';
    if (rule !== undefined) return { reject: (rule.reason ?? 'no_capacity') as RejectReason };
    if (chance(this.#seed, 'reject', order.id) >= this.#rejectRate) return 'accept';
    const pick = Math.floor(chance(this.#seed, 'reject reason', order.id) * REJECT_REASONS.length);
    return { reject: REJECT_REASONS[pick] as RejectReason };
  }

  /** What is missing after picking, by line. A rule without a SKU hits the first line only. */
  onPick(order: OrderFacts): Missing {
    const rule = this.#find(order, ['short_pick']);
    if (rule !== undefined) {
      const lines = rule.sku === undefined ? order.lines.slice(0, 1) : order.lines.filter((line) => line.sku === rule.sku);
      return lines.map((line) => ({ lineNo: line.lineNo, quantity: Math.min(line.quantity, rule.quantity ?? 1) }));
    }
    if (chance(this.#seed, 'short', order.id) >= this.#shortRate) return [];
    const line = order.lines[Math.floor(chance(this.#seed, 'short line', order.id) * order.lines.length)];
    if (line === undefined) return [];
    const quantity = 1 + Math.floor(chance(this.#seed, 'short quantity', order.id) * line.quantity);
    return [{ lineNo: line.lineNo, quantity }];
  }

  /** The reason given when a rule refuses the cancellation; undefined when none does. */
  onCancel(order: OrderFacts): string | undefined {
    const rule = this.#find(order, ['refuse_cancel']);
    return rule === undefined ? undefined : (rule.reason ?? 'packed');
  }

  #find(order: OrderFacts, actions: readonly Rule['action'][]): Rule | undefined {
    return this.#rules.find(
      (rule) =>
        actions.includes(rule.action) &&
        (rule.locationCode === undefined || rule.locationCode === order.locationCode) &&
        (rule.fulfillmentOrderId === undefined || rule.fulfillmentOrderId === order.id) &&
        (rule.sku === undefined || order.lines.some((line) => line.sku === rule.sku)) &&
        chance(this.#seed, 'rule', rule.action, rule.sku ?? '', rule.locationCode ?? '', order.id) < (rule.rate ?? 1),
    );
  }
}
