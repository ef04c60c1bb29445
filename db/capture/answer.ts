import { encodeId } from '../../domain/ids.ts';
import type { CaptureAnswer, PromotionsAnswer } from '../../domain/order/intake.ts';
import type { Network } from '../network.ts';
import type { Decision } from './decide.ts';
import type { PreparedOrder } from './prepare.ts';

export function holdOf(decision: Decision): string | null {
  return decision.missing.some((m) => m.cause === 'unknown_sku') ? 'unknown_sku' : null;
}

/** The answer is fixed at capture: a repetition gets the very same, whatever has become of the order since. */
export function answerOf(order: PreparedOrder, decision: Decision, network: Network): CaptureAnswer {
  return {
    id: encodeId('ord', order.id), channel: order.channel.code, externalId: order.intake.externalId,
    status: holdOf(decision) !== null ? 'on_hold' : order.payBy ? 'awaiting_payment' : 'captured',
    currency: order.intake.currency, total: order.total, payBy: order.payBy?.toISOString() ?? null,
    promise: decision.promise && { shipBy: decision.promise.shipBy.toISOString(), deliverBy: decision.promise.deliverBy.toISOString() },
    reserved: decision.picks.map((p) => ({
      line: p.lineNo, location: network.locationById.get(p.locationId)?.code ?? '', quantity: p.quantity,
      ...(p.expectedAt === null ? {} : { expectedAt: new Date(p.expectedAt).toISOString() }),
    })),
    missing: decision.missing.map((m) => ({ line: m.lineNo, sku: m.skuCode, quantity: m.quantity, cause: m.cause })),
    capturedAt: order.capturedAt.toISOString(), ...(order.promotions === null ? {} : { promotions: promotionsAnswer(order, decision) }), ...(order.sessionMissed === null ? {} : { sessionMissed: order.sessionMissed }),
  };
}

function promotionsAnswer({ lines, promotions }: PreparedOrder, { dropped }: Decision): PromotionsAnswer {
  const given = lines.flatMap((l) => (l.given ? [{ lineNo: l.lineNo, ...l.given }] : []));
  return {
    applied: promotions?.applied ?? [], unused: promotions?.unused ?? [],
    gifts: given.filter((g) => !dropped.includes(g.lineNo)).map(({ lineNo, sku, quantity, promotion, code }) => ({ line: lineNo, sku, quantity, promotion, code })),
    dropped: given.filter((g) => dropped.includes(g.lineNo)).map(({ sku, quantity, promotion, code }) => ({ sku, quantity, promotion, code, reason: 'out of stock' })),
  };
}
