import type pg from 'pg';

/**
 * History in the shape that capture and fulfillment leave: closed orders of two lines with events, contacts and reservations, and movements of their captures, issues and
 * receipts, spread over the last two months. Written by INSERT … SELECT in slices; nothing of it changes the levels (each order's units were received and issued).
 */
export async function fill(pool: pg.Pool, orders: number, movements: number, say: (text: string) => void): Promise<void> {
  const slice = 100_000;
  await pool.query(`create function pg_temp_uuid(at timestamptz) returns uuid language sql volatile as
    $$ select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid $$`);
  const { rows: [person] } = await pool.query<{ id: string }>('insert into persons (id) values (uuidv7()) returning id');
  const perOrder = Math.max(2, Math.round(movements / orders));
  for (let from = 0; from < orders; from += slice) {
    const count = Math.min(slice, orders - from);
    await pool.query(
      `with made as materialized (select i, pg_temp_uuid(now() - interval '60 days' * (1 - i::float8 / $3)) id, now() - interval '60 days' * (1 - i::float8 / $3) as at from generate_series($1::int, $1::int + $2::int - 1) i),
       heads as (insert into orders (id, channel_id, external_id, type, status, payment_status, currency, list_amount, discount_amount, freight_amount, total_amount, body_hash, person_id, contact_id,
           address_hash, dest_country, dest_province, dest_city, ordered_at, captured_at, ship_by, deliver_by, validated_at, delivered_at, return_until, closed_at)
         select id, 1, 'G-' || i, 'retail', 'closed', 'paid', 'CNY', 19800, 0, 800, 20600, decode(md5(i::text), 'hex'), $4, id, decode(md5((i % 5000)::text), 'hex'), 'CN', 'Shanghai', 'Shanghai',
           at, at, at, at, at, at, at, at from made),
       lines as (insert into order_lines (order_id, line_no, sku_id, sku_code, quantity, unit_price, list_amount, discount_amount, freight_share, net_amount, issued_quantity)
         select id, n, 1 + (i * n) % 200, 'SKU-' || 1 + (i * n) % 200, 1, 9900, 9900, 0, 400, 10300, 1 from made, generate_series(1, 2) n),
       events as (insert into order_events (order_id, type, at, actor, data) select id, t, at, 'system', '{}' from made, unnest('{order.captured,order.reserved,order.shipped,order.closed}'::text[]) t),
       kept as (insert into reservations (order_id, line_no, seq, level_id, quantity, status) select id, n, n - 1, 1 + (i * n) % 3400, 1, 'issued' from made, generate_series(1, 2) n)
       insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause, order_id, at)
         select id, leg, 1 + (i * 7 + leg / 2) % 3400, 0, case when leg % 2 = 0 then 1 else -1 end, 'capture', id, at from made, generate_series(0, $5::int - 1) leg`,
      [from, count, orders, person?.id, perOrder - (perOrder % 2)]);
    if ((from / slice) % 4 === 3) say(`${from + count} orders written`);
  }
  await pool.query('vacuum analyze');
  await pool.query('checkpoint');
}
