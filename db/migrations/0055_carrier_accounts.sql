-- Accounts at carriers, trackers and waybill services: how each is reached, what was asked of it, what it told.
create table carrier_accounts (
  code text primary key, -- of the carrier, where it is one of ours; else its own (a tracker, a platform's waybill service)
  kind text not null,
  settings jsonb not null,
  secrets bytea, -- sealed with the vault's master key
  hook_key text not null unique, -- unguessable part of the address that it pushes to
  limits jsonb not null default '{}',
  follows text[] not null default '{}', -- carriers whose parcels are announced to it, so that it tells of them
  asks text[] not null default '{}', -- carriers whose parcels it may be asked about
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- Refreshed one at a time: a refresh token may be used once.
create table carrier_tokens (
  account text primary key references carrier_accounts on delete cascade,
  access bytea not null,
  refresh bytea,
  expires_at timestamptz not null,
  refresh_expires_at timestamptz,
  refreshed_at timestamptz not null,
  serial integer not null default 1
);

-- Nothing of a forged push is kept but the fact.
create table carrier_rejections (
  account text not null,
  day date not null,
  reason text not null,
  count integer not null,
  primary key (account, day, reason)
);

-- How many numbers an account has left, as it said when last asked; null: without end.
create table waybill_balances (
  account text not null,
  carrier text not null,
  branch text not null,
  remaining integer,
  at timestamptz not null,
  primary key (account, carrier, branch)
);

-- Every number that was asked for, by the id under which it was asked: a question whose answer was lost is still known, and taken back where the parcel goes by another carrier.
create table waybills (
  account text not null,
  request_id text not null, -- ful_… or rma_…
  carrier text not null,
  order_id uuid,
  state text not null check (state in ('asked', 'issued', 'void', 'cancelled', 'kept')), -- void: to be taken back; kept: the carrier would not take it back
  waybill_no text,
  draft text, -- what a carrier of two steps gave in the first
  label_state text not null default 'none' check (label_state in ('none', 'due', 'stored', 'refused')),
  label_id uuid, -- vault record, sealed under the receiver's key
  label_type text,
  asked_at timestamptz not null,
  issued_at timestamptz,
  ended_at timestamptz,
  due_at timestamptz not null,
  attempts integer not null default 0,
  error text,
  primary key (account, request_id)
);
create index waybills_due on waybills (due_at) where state = 'void' or label_state = 'due';
create index waybills_request on waybills (request_id);

-- Parcels that an account is to tell of.
create table parcel_follows (
  parcel_id uuid not null references parcels,
  account text not null,
  state text not null default 'due' check (state in ('due', 'done', 'refused')),
  due_at timestamptz not null,
  attempts integer not null default 0,
  error text,
  done_at timestamptz,
  primary key (parcel_id, account)
);
create index parcel_follows_due on parcel_follows (due_at) where state = 'due';

-- Customs and a locker are places of their own; what the carrier said stands next to what we make of it; `note`: told, and moves nothing.
alter table parcels drop constraint parcels_milestone_check;
alter table parcels add constraint parcels_milestone_check check (milestone in ('issued', 'picked_up', 'in_transit', 'customs', 'out_for_delivery', 'ready_for_pickup', 'attempt_failed', 'exception', 'delivered', 'lost', 'returning', 'returned')) not valid;
alter table parcels add heard_at timestamptz; -- of the newest event; null: nothing since it was issued
alter table tracking_events
  add source_status text, -- the carrier's own code
  add told_by text; -- the account that told, where it was not the carrier itself
