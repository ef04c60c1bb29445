import { evaluateAudit, unlistedWords, type AuditFacts } from '../../domain/order/audit.ts';
import { encodeId } from '../../domain/ids.ts';
import type { Way } from '../../domain/order/intake.ts';
import { isPaymentDue } from '../../domain/order/payment.ts';
import { AT_LOCATION, LEFT, TERMINAL } from '../../domain/order/status.ts';
import type { Network } from '../network.ts';
import { belowFloor } from '../promotions/below-floor.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import type { Vault, Contact } from '../vault.ts';
import { cancelUnissued } from './cancel-order.ts';
import { lockOrder, readFulfillments, readLines, refreshStatus, type Order, type OrderLine } from './order.ts';

/** The longest look-back of a duplicate rule, minutes. */
const RECENT_MINUTES = 7 * 24 * 60;

/**
 * Checks an order against the audit rules (审单): passes it, holds it for an operator, or rejects it and frees its stock.
 * Rules that an operator has overruled are left out. Does nothing when it has been done, or the order is held, unpaid or over.
 * Returns how it gets to its customer.
 */
export async function validateOrder(writer: StockWriter, network: Network, vault: Vault, orderId: string): Promise<Way> {
  return writer.change(async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (order.validatedAt || order.holdReason || isPaymentDue(order.paymentStatus) || TERMINAL.has(order.status)) return order.way;
    const contact = await vault.readContact(tx.client, order.contactId);
    const lines = await readLines(tx.client, orderId);
    const facts = await auditFacts(tx, order, lines, contact, network, vault);
    const rules = network.auditRules.filter((r) => !order.approvedRules.includes(r.id));
    const { outcome, hits } = evaluateAudit(rules, facts);
    // After a change of address part of the order may be packed or gone: a person decides about the rest.
    const begun = outcome === 'reject' && (await readFulfillments(tx.client, orderId)).some((f) => AT_LOCATION.has(f.status) || LEFT.has(f.status));
    if (outcome === 'hold' || begun) {
      for (const hit of hits.filter((h) => h.action === outcome)) {
        await tx.query('insert into order_holds (order_id, reason, detail, rule_id, placed_at, placed_by) values ($1, $2, $3, $4, $5, $6)',
          [orderId, hit.name, hit.reason, hit.ruleId, tx.now, 'system']);
      }
      await tx.event(orderId, 'order.held', 'system', { rules: hits.map((h) => ({ rule: h.name, reason: h.reason })) });
    } else if (outcome === 'reject') {
      await tx.event(orderId, 'order.audit_rejected', 'system', { rules: hits.map((h) => ({ rule: h.name, reason: h.reason })) });
      await cancelUnissued(tx, order, 'rejected by an audit rule', 'system');
      await tx.query(`update orders set status = 'rejected', closed_at = $2, version = version + 1 where id = $1`, [orderId, tx.now]);
      await tx.event(orderId, 'order.rejected', 'system');
      return order.way;
    } else {
      order.validatedAt = tx.now;
      await tx.query('update orders set validated_at = $2 where id = $1', [orderId, tx.now]);
      // What is not on file may well be right: said, not held, unless a rule wants it so.
      const warning = unlistedWords(facts.destination);
      await tx.event(orderId, 'order.validated', 'system', hits.length > 0 || warning !== null ? { ...(hits.length > 0 ? { passedBy: hits.map((h) => h.name) } : {}), ...(warning === null ? {} : { warning }) } : null);
    }
    await refreshStatus(tx, order, 'system');
    return order.way;
  });
}

function addressFacts(network: Network, { country, province, city }: Order): Pick<AuditFacts['destination'], 'known' | 'like' | 'unlisted'> {
  const { unknown, like, unlisted } = network.known(country, province, city);
  return { known: !unknown, like, unlisted };
}

async function auditFacts(tx: Tx, order: Order, lines: readonly OrderLine[], contact: Contact | null, network: Network, vault: Vault): Promise<AuditFacts> {
  const recent = async (column: 'person_id' | 'address_hash', value: string | Buffer | null): Promise<AuditFacts['recentByBuyer']> => {
    if (value === null || !network.auditRules.some((r) => r.kind === 'duplicate')) return [];
    const rows = await tx.query<{ id: string; minutes: number }>(
      `select id, (extract(epoch from $3::timestamptz - captured_at) / 60)::float8 minutes from orders
       where ${column} = $1 and id <> $2 and parent_id is distinct from $2 and id is distinct from $5 and captured_at > $3::timestamptz - make_interval(mins => $4) and captured_at <= $3
         and status not in ('cancelled', 'rejected', 'expired') order by captured_at desc limit 20`, [value, order.id, order.capturedAt, RECENT_MINUTES, order.parentId]);
    return rows.map((r) => ({ orderId: encodeId('ord', r.id), minutesAgo: r.minutes }));
  };
  const skus = await network.skusById(lines.flatMap((l) => l.skuId ?? []));
  // A resend is free of charge on purpose: it has no margin to judge.
  let cost: number | null = order.type === 'resend' ? null : 0;
  for (const line of lines) {
    const each: number | null = line.skuId === null ? null : skus.get(line.skuId)?.cost ?? null;
    cost = each === null || cost === null ? null : cost + each * (line.quantity - line.cancelled);
  }
  const shipTo = contact?.shipTo;
  const phone = shipTo?.phone ?? contact?.buyer?.phone;
  const blocked: [string, Buffer][] = [];
  if (order.addressHash) blocked.push(['address', order.addressHash]);
  if (phone) blocked.push(['phone', vault.hash('phone', phone)]);
  if (contact?.buyer?.id) blocked.push(['buyer', vault.hash('buyer', contact.buyer.id)]);
  const matches = await tx.query<{ kind: string }>(
    'select b.kind from blocked_entries b join unnest($1::text[], $2::bytea[]) as t(k, h) on b.kind = t.k and b.hash = t.h order by 1',
    [blocked.map((b) => b[0]), blocked.map((b) => b[1])]);
  return {
    channelCode: network.channelById.get(order.channelId)?.code ?? '', total: order.total, currency: order.currency, cost,
    goodsNet: lines.reduce((sum, l) => sum + l.priced.listAmount - l.priced.discountAmount, 0),
    destination: {
      country: order.country, province: order.province, city: order.city, district: order.district,
      hasStreet: Boolean(shipTo?.street.trim()), hasPhone: Boolean(shipTo?.phone.trim()), hasName: Boolean(shipTo?.name.trim()),
      ...addressFacts(network, order),
    },
    buyerRemark: contact?.buyerRemark ?? null, sellerRemark: contact?.sellerRemark ?? null,
    recentByBuyer: await recent('person_id', order.personId), recentByAddress: await recent('address_hash', order.addressHash),
    blockedMatches: matches.map((m) => m.kind),
    // A resend is free of charge on purpose.
    ...(network.auditRules.some((r) => r.kind === 'floor') && order.type !== 'resend' ? { belowFloor: await belowFloor(tx, order.channelId, order.currency, lines) } : {}),
  };
}
