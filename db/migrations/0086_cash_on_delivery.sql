-- Cash on delivery is of a fulfillment order: what its parcel collects, said once, at its release; and when it was collected.
alter table fulfillment_orders
  add cod_amount bigint check (cod_amount >= 0), -- null: it was never to collect anything
  add cod_collected_at timestamptz;
-- Collected for units that were cancelled after the amount was told.
alter table refunds
  drop constraint refunds_cause_check,
  add constraint refunds_cause_check check (cause in ('cancellation', 'refund_request', 'return', 'shortage', 'loss', 'overpaid'));

-- What is under way: the first one that counts collects all that is neither cancelled nor refunded.
with worth as (
  select l.order_id, sum(l.net_amount - (l.net_amount / l.quantity * l.refunded_quantity + least(l.refunded_quantity, l.net_amount % l.quantity))) amount
  from order_lines l join orders o on o.id = l.order_id where o.payment_status = 'cash_on_delivery' and o.closed_at is null group by 1),
carrying as (
  select distinct on (f.order_id) f.id, f.order_id, f.status, f.ended_at from fulfillment_orders f join worth w on w.order_id = f.order_id
  where f.status not in ('rejected', 'cancelled') order by f.order_id, f.id)
update fulfillment_orders f set cod_amount = greatest(0, w.amount), cod_collected_at = case when c.status = 'delivered' then c.ended_at end
from carrying c join worth w on w.order_id = c.order_id where f.id = c.id and c.status <> 'routed';
with paid as (
  update orders o set payment_status = 'paid' where o.payment_status = 'cash_on_delivery' and exists (select from fulfillment_orders f where f.order_id = o.id and f.cod_collected_at is not null) returning o.id)
insert into order_events (order_id, type, at, actor, data) select id, 'order.paid', now(), 'system', '{"how": "cash_on_delivery"}' from paid;
