-- Messages to people: whom (a vault reference, never an address), what, by which way, and what became of it.
create table messages (
  id uuid primary key,
  key text not null unique, -- of the fact that it tells: one message, whoever asks again
  person_id uuid not null,
  contact_id uuid not null, -- the vault record in which the address stands
  order_id uuid,
  purpose text not null check (purpose in ('service', 'marketing')),
  template text not null,
  params jsonb not null, -- nothing personal
  ways text[] not null check (cardinality(ways) between 1 and 3), -- in order of preference
  status text not null default 'waiting' check (status in ('waiting', 'sent', 'delivered', 'failed', 'skipped')),
  reason text, -- why it failed or was skipped
  error text, -- what the last try met
  way text, -- by which it went
  messenger text,
  refused_ways text[] not null default '{}', -- ways that were tried and will not carry it
  provider_ref text,
  begun_at timestamptz, -- when a try was handed to the messenger of which no answer is known
  round integer not null default 1, -- sent anew by hand: another message to the provider
  attempts integer not null default 0,
  due_at timestamptz not null,
  expires_at timestamptz not null, -- told later it would be of no use
  leased_until timestamptz,
  created_at timestamptz not null,
  sent_at timestamptz,
  settled_at timestamptz,
  check_at timestamptz -- when its messenger is asked what became of it
) with (fillfactor = 80);
create index messages_due on messages (due_at, id) where status = 'waiting';
create index messages_checks on messages (check_at) where status = 'sent' and check_at is not null;
create index messages_order on messages (order_id) where order_id is not null;
create index messages_attention on messages (id) where status = 'failed';
create index messages_status on messages (status, id);

-- The words, by way; '*' where a way has none of its own. {name} stands for a parameter, {recipient} for the name of the person.
create table message_templates (
  key text not null,
  way text not null check (way in ('*', 'wecom', 'sms', 'email')),
  subject text,
  body text not null,
  provider_template text, -- the number under which the provider knows the text, where texts must be registered
  updated_at timestamptz not null default now(),
  primary key (key, way)
);

-- The accounts that carry messages: the first active one of a way, by priority.
create table messengers (
  code text primary key,
  kind text not null,
  ways text[] not null,
  settings jsonb not null,
  secrets bytea, -- sealed with the vault's master key
  active boolean not null default true,
  priority smallint not null default 0,
  per_second integer not null default 10 check (per_second between 1 and 1000),
  updated_at timestamptz not null default now()
);

-- When nobody is written to: minutes of the day in a zone; from = to: never quiet.
create table message_rules (
  purpose text primary key check (purpose in ('service', 'marketing')),
  quiet_from smallint not null check (quiet_from between 0 and 1439),
  quiet_to smallint not null check (quiet_to between 0 and 1439),
  time_zone text not null
);
insert into message_rules (purpose, quiet_from, quiet_to, time_zone) values ('service', 1320, 480, 'Asia/Shanghai'), ('marketing', 1260, 540, 'Asia/Shanghai');

-- What an address wants, under its keyed hash: it counts for everybody who has that address, and survives the person's erasure, so that a wish to be left alone does.
create table message_consents (
  address_hash bytea not null,
  way text not null check (way in ('wecom', 'sms', 'email')),
  purpose text not null check (purpose in ('service', 'marketing')),
  allowed boolean not null,
  at timestamptz not null,
  source text not null,
  primary key (address_hash, way, purpose)
);
