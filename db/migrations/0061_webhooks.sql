-- Where API clients are told what happens, what they were told, and how it went.
create table webhook_endpoints (
  id uuid primary key,
  url text not null,
  description text not null default '',
  events text[] not null, -- types of the catalogue; '*': all
  secrets bytea not null, -- sealed: [{secret, from, until}], the newest first
  status text not null default 'active' check (status in ('active', 'paused', 'gone')),
  slow_until timestamptz, -- it asked for fewer
  slowed integer not null default 0, -- how often in a row
  api_key_id integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
-- The same bytes for every endpoint and every try: the signature covers them.
create table webhook_events (
  id uuid primary key,
  type text not null,
  order_id uuid,
  body text not null,
  at timestamptz not null
);
create index webhook_events_at on webhook_events (at);
create table webhook_deliveries (
  id bigint generated always as identity primary key,
  endpoint_id uuid not null references webhook_endpoints on delete cascade,
  event_id uuid not null references webhook_events on delete cascade,
  order_id uuid,
  at timestamptz not null, -- of the event
  status text not null default 'waiting' check (status in ('waiting', 'delivered', 'failed', 'cancelled')),
  attempts integer not null default 0, -- since it was (re)played
  tries integer not null default 0, -- ever
  replays integer not null default 0,
  due_at timestamptz not null,
  leased_until timestamptz,
  answer smallint, -- status of the last answer
  error text,
  settled_at timestamptz,
  unique (endpoint_id, event_id)
) with (fillfactor = 80);
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, due_at, id) where status = 'waiting';
create index webhook_deliveries_order on webhook_deliveries (endpoint_id, order_id, id) where status = 'waiting';
create index webhook_deliveries_at on webhook_deliveries (endpoint_id, at);
create index webhook_deliveries_event on webhook_deliveries (event_id);
create table webhook_attempts (
  delivery_id bigint not null references webhook_deliveries on delete cascade,
  no integer not null,
  at timestamptz not null,
  ms integer not null,
  answer smallint,
  error text,
  primary key (delivery_id, no)
);
