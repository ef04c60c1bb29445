import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Tx } from '../tx.ts';
import { refuseErased } from './erase-person.ts';
import type { Order } from './order.ts';
import { openShortages } from './reservations.ts';

/**
 * Makes an order that follows from another (resend, exchange): the same person and address, at no charge. Its units are opened as shortages, which its
 * own workflow serves at once where there is stock. `suffix` makes the external id; the same suffix twice gives the order made first. Refused with
 * `conflict` once the person has been erased: nobody knows where to send it.
 */
export async function deriveOrder(
  tx: Tx, parent: Order, suffix: string, lines: readonly { skuId: number; skuCode: string; quantity: number }[], backorderWindowS: number, actor: string,
): Promise<string> {
  const externalId = `${parent.externalId}#${suffix}`;
  const id = uuidv7();
  await refuseErased(tx, parent.personId);
  const written = await tx.query(
    `insert into orders (id, channel_id, external_id, type, status, payment_status, currency, list_amount, discount_amount, freight_amount, total_amount, body_hash, location_id, allotment_id,
       parent_id, person_id, contact_id, address_hash, dest_country, dest_province, dest_city, dest_district, priority, ordered_at, captured_at)
     select $2, channel_id, $3, 'resend', 'captured', 'not_due', currency, 0, 0, 0, 0, ''::bytea, location_id, allotment_id, id, person_id, contact_id, address_hash, dest_country, dest_province,
       dest_city, dest_district, priority, $4, $4 from orders where id = $1 on conflict (channel_id, external_id) do nothing returning 1`,
    [parent.id, id, externalId, tx.now]);
  if (written.length === 0) {
    const known = await tx.one<{ id: string }>('select id from orders where channel_id = $1 and external_id = $2', [parent.channelId, externalId]);
    return (known as { id: string }).id;
  }
  for (const [i, line] of lines.entries()) {
    await tx.query(
      `insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount)
       values ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0)`, [id, i + 1, line.skuId, line.skuCode, line.quantity]);
  }
  await openShortages(tx, id, lines.map((l, i) => ({ lineNo: i + 1, skuId: l.skuId, quantity: l.quantity })), 'resend', new Date(tx.now.getTime() + backorderWindowS * 1000));
  await tx.event(id, 'order.captured', actor, { id: encodeId('ord', id), parent: encodeId('ord', parent.id) });
  await tx.event(parent.id, 'order.resent', actor, { order: encodeId('ord', id) });
  await tx.query(`insert into outbox (topic, order_id, priority) values ('start', $1, $2)`, [id, tx.now]);
  tx.woken = true;
  return id;
}
