import { randomBytes } from 'node:crypto';
import type { BadPush, Platform, PushRequest, StreamProtocol } from '../platform/protocol.ts';
import type { ShopEvent } from '../platform/order.ts';
import { bare } from './show.ts';
import { expectedDigest } from './signing.ts';

const SKEW_MS = 600_000;
const TRADE = { paid: 'TradeConfirmed', address: 'TradeLogisticsAddressChanged', shipped: 'TradeSellerShip', done: 'TradeSuccess' } as const;
const REFUND = { requested: 'RefundCreated', agreed: 'RefundAgreeAgreement', goods_sent: 'RefundBuyerReturnGoods', done: 'RefundAgreeAgreement', refused: 'RefundCreateMessage', closed: 'RefundClosed' } as const;

/** Anew for each sending: nothing says that a message keeps its id when it comes again. Between 2^62 and 2^63. */
const newId = (): string => String(BigInt.asUintN(62, randomBytes(8).readBigUInt64BE()) + (1n << 62n));

/** A frame of the message service. Orders that nobody has paid are not told of; the content is JSON in JSON. */
export function message(event: ShopEvent, { settings, clock }: Platform, bad?: BadPush): PushRequest | null {
  const { order, afterSale, kind } = event;
  if (!order || kind === 'created' || kind === 'stock') return null;
  if (kind === 'cancelled' && order.paidAt === null) return null;
  const mall = bad === 'forged' ? '999000000000000001' : String(settings['mallId']);
  // A paid order that is called off is a refund of all of it.
  const refund = afterSale ?? (kind === 'cancelled' ? { id: '0', status: 'done' as const, kind: 'refund' as const, amount: 0, updatedAt: order.updatedAt } : null);
  const type = refund ? `pdd_refund_${REFUND[refund.status]}` : `pdd_trade_${TRADE[kind as keyof typeof TRADE]}`;
  const content = { mall_id: `@${mall}`, tid: order.id, ...(refund ? { refund_id: `@${refund.id}`, refund_fee: refund.amount, bill_type: refund.kind === 'refund' ? 1 : 2, operation: 1, modified: refund.updatedAt } : {}) };
  const id = newId();
  const frame = bare(JSON.stringify({ id: `@${id}`, commandType: 'Common', time: clock(), sendTime: event.at, message: { type, mallID: `@${mall}`, content: bare(JSON.stringify(content)) } }));
  return { id, method: 'POST', query: '', headers: {}, body: bad === 'truncated' ? frame.slice(0, -9) : frame };
}

/** Who comes with an old time or a wrong digest is refused, and so is who asks for an app that is not there. */
export const messages: StreamProtocol = {
  heartbeatMs: (platform) => Math.min(5_000, messages.silenceMs(platform) / 4),
  silenceMs: ({ settings }) => Number(settings['silenceMs'] ?? 60_000),
  heartbeat: (now) => JSON.stringify({ id: now, commandType: 'HeartBeat', time: now }),
  admits(path, { settings, clock }) {
    const [, root, client, ms, digest, more] = path.split('/');
    if (root !== 'message' || more !== undefined || ms === undefined || !/^\d{13}$/.test(ms)) return 404;
    if (client === undefined || client !== settings['clientId'] || digest !== expectedDigest(client, ms, String(settings['clientSecret']))) return 401;
    return Math.abs(clock() - Number(ms)) > SKEW_MS ? 401 : null;
  },
  read(frame) {
    // Ids are numbers beyond 2^53: read from the text.
    const id = /"id":(-?\d+)/.exec(frame)?.[1];
    try {
      const { commandType, time, type, mallID } = JSON.parse(frame) as Record<string, unknown>;
      if (id === undefined || typeof time !== 'number') return { kind: 'bad' };
      if (commandType === 'HeartBeat') return { kind: 'alive' };
      return commandType === 'Ack' && typeof type === 'string' && typeof mallID === 'number' ? { kind: 'ack', id } : { kind: 'bad' };
    } catch {
      return { kind: 'bad' };
    }
  },
};
