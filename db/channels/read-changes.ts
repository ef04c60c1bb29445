import type pg from 'pg';
import type { Network } from '../network.ts';
import { GIVEN_BACK } from '../orders/replan.ts';
import { advanceReader } from '../readers.ts';
import { aloneInTransaction } from '../transaction.ts';
import { storeHints } from './hints.ts';
import { wakeChannels } from './wake.ts';

/**
 * Reads the ledger and the orders' events since it last did and notes what platforms must hear: listings whose stock moved, parcels that left, orders that we have ended; and which orders are to be read again because a
 * location has answered. One process does it at a time. Rows are taken only below the oldest running transaction, so none is passed over. Returns whether anything was noted.
 */
export async function readChanges(pool: pg.Pool, network: Network, now: Date): Promise<boolean> {
  const noted = await aloneInTransaction(pool, 'channel-changes', async (client) => {
    const channels = [...await readStock(client, now), ...await readParcels(client, now), ...await readCancelledRest(client, now), ...await readCancellations(client, now), ...await readAnswers(client, network, now)];
    await wakeChannels(client, channels.flatMap((id) => network.channelById.get(id)?.code ?? []), now);
    return channels.length > 0;
  });
  return noted ?? false;
}

/** A change is urgent when the listing shows little, when little is left of a SKU of it, or in a live session; the moment is that of the first movement, from its command's UUIDv7. Returns the channels concerned. */
async function readStock(client: pg.ClientBase, now: Date): Promise<number[]> {
  const span = await advanceReader(client, 'listing-stock', now);
  if (!span) return [];
  const { rows } = await client.query<{ channel_id: number }>({
    name: 'listing_changes_note',
    text: `with moved as materialized (
        select v.sku_id, min(to_timestamp(('x' || translate(left(m.command_id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)) since
        from stock_movements m join stock_levels v on v.id = m.level_id and v.condition = 'sellable' where m.xid >= $1::text::xid8 and m.xid < $2::text::xid8 group by v.sku_id),
      free as (select m.sku_id, coalesce(sum(greatest(0, v.on_hand - v.reserved - v.buffer)), 0) units
        from moved m left join stock_levels v on v.sku_id = m.sku_id and v.condition = 'sellable' and v.supply_id = 0 group by 1),
      noted as (insert into listing_changes as c (listing_id, channel_id, since, urgent, stamp)
        select l.id, l.channel_id, min(moved.since), bool_or(least(l.granted - l.sold, free.units / k.quantity) <= coalesce(own.urgent_below, shop.urgent_below, 10)
            or exists (select from declarations d where d.channel_id = l.channel_id and d.status = 'live')), nextval('listing_change_stamps')
        from moved join free on free.sku_id = moved.sku_id join listing_components k on k.sku_id = moved.sku_id join listings l on l.id = k.listing_id left join channel_shops s on s.channel_id = l.channel_id
          left join publish_rules own on own.channel_id = l.channel_id and own.sku_id = moved.sku_id left join publish_rules shop on shop.channel_id = l.channel_id and shop.sku_id = 0
        where coalesce(own.mode, shop.mode, 'on') <> 'stopped' and l.publish <> 'stopped' and coalesce(s.tells_stock, true)
        group by l.id order by l.id
        on conflict (listing_id) do update set urgent = c.urgent or excluded.urgent, changes = c.changes + 1, stamp = excluded.stamp returning channel_id)
      select distinct channel_id from noted`,
    values: [span.from, span.to],
  });
  return rows.map((r) => r.channel_id);
}

/** A goods issue of an order that came from a platform, of one that was split off it, or of one that it was merged into. */
async function readParcels(client: pg.ClientBase, now: Date): Promise<number[]> {
  const span = await advanceReader(client, 'shipment-reports', now);
  if (!span) return [];
  const { rows } = await client.query<{ channel_id: number }>({
    name: 'shipment_reports_note',
    text: `with issued as (select distinct e.order_id, e.data ->> 'shipment' shipment from order_events e where e.xid >= $1::text::xid8 and e.xid < $2::text::xid8 and e.type = 'fulfillment.issued'),
      relatives as (select i.order_id, i.shipment, i.order_id relative from issued i
        union select i.order_id, i.shipment, o.parent_id from issued i join orders o on o.id = i.order_id where o.parent_id is not null and o.type <> 'resend'
        union select i.order_id, i.shipment, l.merged_from from issued i join order_lines l on l.order_id = i.order_id where l.merged_from is not null
        -- a part that was split off before it was merged
        union select i.order_id, i.shipment, h.id from issued i join order_lines l on l.order_id = i.order_id join orders m on m.id = l.merged_from and m.external_id like '%#S%'
          join orders h on h.channel_id = m.channel_id and h.external_id = regexp_replace(m.external_id, '(#S[0-9]+)+$', '')),
      noted as (insert into channel_reports (channel_id, order_id, kind, key, body, due_at, created_at)
        select c.channel_id, c.order_id, 'shipment', 'shipment:' || c.external_id || ':' || r.shipment, jsonb_build_object('externalId', c.external_id), $3, $3
        from relatives r join channel_orders c on c.order_id = r.relative
        where not coalesce((select o.forced_location_id is not null and exists (select from order_events f where f.order_id = o.id and f.type = 'order.location_forced' and f.data ->> 'reason' = 'the platform ships it') from orders o where o.id = c.order_id), false)
        order by 1, 4 on conflict (channel_id, key) do nothing returning channel_id)
      select distinct channel_id from noted`,
    values: [span.from, span.to, now],
  });
  return rows.map((r) => r.channel_id);
}

/** Units are cancelled of an order of which the platform knows parcels: they may have been all that it waited for. Once a cancellation. */
async function readCancelledRest(client: pg.ClientBase, now: Date): Promise<number[]> {
  const span = await advanceReader(client, 'cancelled-rest', now);
  if (!span) return [];
  const { rows } = await client.query<{ channel_id: number }>({
    name: 'cancelled_rest_note',
    text: `with off as (select e.order_id, max(e.id) id from order_events e where e.xid >= $1::text::xid8 and e.xid < $2::text::xid8 and e.type = 'order.units_cancelled' group by 1),
      relatives as (select order_id relative, id from off union select o.parent_id, off.id from off join orders o on o.id = off.order_id where o.parent_id is not null and o.type <> 'resend'
        union select l.merged_from, off.id from off join order_lines l on l.order_id = off.order_id where l.merged_from is not null),
      noted as (insert into channel_reports (channel_id, order_id, kind, key, body, due_at, created_at)
        select c.channel_id, c.order_id, 'shipment', 'shipment:' || c.external_id || ':rest:' || r.id, jsonb_build_object('externalId', c.external_id, 'rest', true), $3, $3
        from relatives r join channel_orders c on c.order_id = r.relative
        where exists (select from channel_reports p where p.order_id = c.order_id and p.channel_id = c.channel_id and p.kind = 'shipment')
        order by 1, 4 on conflict (channel_id, key) do nothing returning channel_id)
      select distinct channel_id from noted`,
    values: [span.from, span.to, now],
  });
  return rows.map((r) => r.channel_id);
}

/**
 * A platform's order that we have ended whole (cancelled, refused by a rule, not paid in time), with all that was split off it, or within the one that it was merged into. No news there
 * is an end that the platform or its buyer wanted: the last wish to end it whole came from there, or the units that a location gave back last were wanted there, or it waits for none any more. What it took off before does not count.
 */
async function readCancellations(client: pg.ClientBase, now: Date): Promise<number[]> {
  const span = await advanceReader(client, 'cancellation-reports', now);
  if (!span) return [];
  const { rows } = await client.query<{ channel_id: number }>({
    name: 'cancellation_reports_note',
    text: `with ended as (select distinct e.order_id, e.type from order_events e
        where e.xid >= $1::text::xid8 and e.xid < $2::text::xid8 and e.type in ('order.cancelled', 'order.rejected', 'order.expired') and e.actor not like 'channel:%'),
      relatives as (select e.order_id relative, e.type from ended e where not exists (select from order_events m where m.order_id = e.order_id and m.type = 'order.merged_into')
        union select o.parent_id, e.type from ended e join orders o on o.id = e.order_id join orders h on h.id = o.parent_id and o.external_id like h.external_id || '#S%'
        union select m.id, e.type from ended e join orders m on m.parent_id = e.order_id where exists (select from order_events x where x.order_id = m.id and x.type = 'order.merged_into')),
      noted as (insert into channel_reports (channel_id, order_id, kind, key, body, due_at, created_at)
        select distinct on (c.channel_id, c.external_id) c.channel_id, c.order_id, 'cancellation', 'cancellation:' || c.external_id,
          jsonb_build_object('externalId', c.external_id, 'reason', replace(r.type, 'order.', ''), 'unpaid', o.payment_status = 'unpaid'), $3, $3
        from relatives r join orders o on o.id = r.relative and o.status in ('cancelled', 'rejected', 'expired') join channel_orders c on c.order_id = o.id
        where coalesce(c.applied ->> 'status', '') <> 'cancelled'
          and not coalesce((select w.actor like 'channel:%' from order_events w where w.order_id = o.id and w.type in ('order.cancel_requested', 'refund.requested') order by w.id desc limit 1), false)
          and not coalesce((select w.actor like 'channel:%' from order_events w where w.order_id = o.id and w.type in ('order.cancel_requested', 'refund.requested', 'order.lines_cancel_requested') order by w.id desc limit 1)
            and (select u.data ->> 'reason' = $4 from order_events u where u.order_id = o.id and u.type = 'order.units_cancelled' order by u.id desc limit 1), false)
          and not coalesce((select bool_and(n.value = '0') from jsonb_each_text(c.applied -> 'units') n), false)
          and not exists (select from orders s where s.parent_id = o.id and s.external_id like o.external_id || '#S%' and s.status not in ('cancelled', 'rejected', 'expired'))
        order by c.channel_id, c.external_id on conflict (channel_id, key) do nothing returning channel_id)
      select distinct channel_id from noted`,
    values: [span.from, span.to, now, GIVEN_BACK],
  });
  return rows.map((r) => r.channel_id);
}

/**
 * A location has given back units that were asked for, or keeps them: a platform's order of which they are (split off, or within the one that it was merged into) is read again, for a refund or a cancellation may wait for that
 * answer. Once an answer.
 */
async function readAnswers(client: pg.ClientBase, network: Network, now: Date): Promise<number[]> {
  const span = await advanceReader(client, 'location-answers', now);
  if (!span) return [];
  const { rows } = await client.query<{ channelId: number; externalId: string; event: string }>({
    name: 'location_answers_note',
    text: `with answered as (select e.order_id, max(e.id) id from order_events e where e.xid >= $1::text::xid8 and e.xid < $2::text::xid8
          and (e.type in ('order.line_cancel_refused', 'fulfillment.taken_back') or (e.type = 'order.units_cancelled' and e.data ->> 'reason' = $3)) group by 1),
      relatives as (select order_id relative, id from answered union select l.merged_from, a.id from answered a join order_lines l on l.order_id = a.order_id where l.merged_from is not null)
      select c.channel_id "channelId", c.external_id "externalId", max(r.id)::text event from relatives r join orders o on o.id = r.relative
        join channel_orders c on c.channel_id = o.channel_id and c.external_id in (o.external_id, regexp_replace(o.external_id, '(#S[0-9]+)+$', '')) and c.order_id is not null
      group by 1, 2 order by 1, 2`,
    values: [span.from, span.to, GIVEN_BACK],
  });
  const hints = rows.flatMap(({ channelId, externalId, event }) => {
    const channelCode = network.channelById.get(channelId)?.code;
    return channelCode === undefined ? [] : [{ channelId, channelCode, key: `answered:${externalId}:${event}`, subject: 'order', topic: 'location_answered', externalId, version: null }];
  });
  await storeHints(client, hints, 'replay', now);
  return hints.map((h) => h.channelId);
}
