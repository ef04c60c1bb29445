-- Dealers order by files and are answered by files. The bytes of a file are not kept: what of it is personal lies in the vault, under the key of its person, until the order is captured.
create table dealer_files (
  id uuid primary key,
  channel_id smallint not null references channels,
  no bigint not null generated always as identity unique,
  name text not null,
  format text not null check (format in ('csv', 'xlsx', 'x12', 'edifact')),
  sha256 bytea not null,
  bytes integer not null,
  rows integer not null, -- of a table; segments of others
  received_at timestamptz not null,
  received_by text not null,
  repeated integer not null default 0, -- how often the same bytes came again
  unique (channel_id, sha256)
);
create index dealer_files_channel on dealer_files (channel_id, no);

-- What was wrong in it, by line. Nothing personal is quoted.
create table dealer_file_faults (
  file_id uuid not null references dealer_files,
  no integer not null,
  line integer,
  order_no text,
  field text,
  detail text not null,
  primary key (file_id, no)
);

-- The orders of a file, and what became of each there. `other_content`: its number was used before for another order.
create table dealer_file_orders (
  file_id uuid not null references dealer_files,
  no integer not null,
  line integer not null,
  external_id text not null,
  purpose text not null check (purpose in ('original', 'cancel')),
  outcome text not null check (outcome in ('taken', 'repeated', 'other_content', 'unknown', 'test')),
  primary key (file_id, no)
);

-- Control numbers that came in: the same one twice is a copy, or an error of the dealer's.
create table dealer_interchanges (
  channel_id smallint not null,
  standard text not null check (standard in ('x12', 'edifact')),
  sender text not null,
  control text not null,
  test boolean not null,
  body_hash bytea not null,
  file_id uuid not null,
  received_at timestamptz not null,
  primary key (channel_id, standard, sender, control, test)
);

create table dealer_orders (
  channel_id smallint not null,
  external_id text not null,
  file_id uuid not null,
  body_hash bytea not null,
  sent jsonb not null, -- domain/edi/answer.ts, Sent: how it came and is answered; nothing personal
  document_id uuid, -- the order as it was sent, in the vault; null once it is captured or refused
  cancel_file_id uuid,
  cancel_sent jsonb,
  refused text, -- by us, whole: why
  answer jsonb, -- OrderAnswer: what was said to it
  answered_at timestamptz,
  cancel_answered_at timestamptz,
  received_at timestamptz not null,
  primary key (channel_id, external_id)
);

-- What we wrote, as it was written. `control`: ISA13 or 0020; `group_control`: GS06.
create table dealer_documents (
  id bigint generated always as identity primary key,
  channel_id smallint not null,
  kind text not null check (kind in ('997', 'TA1', '855', '856', 'CONTRL', 'ORDRSP', 'DESADV', 'response', 'shipment')),
  key text not null,
  name text not null,
  control integer,
  group_control integer,
  test boolean not null,
  file_id uuid,
  external_id text,
  body bytea not null,
  created_at timestamptz not null,
  delivered_at timestamptz, -- somebody has taken it to the dealer
  receipt text check (receipt in ('accepted', 'partly', 'rejected')), -- what the dealer says of it (997, CONTRL)
  unique (channel_id, key)
);
create index dealer_documents_file on dealer_documents (file_id);
create index dealer_documents_open on dealer_documents (channel_id, id) where delivered_at is null;

-- Control numbers given out, without gaps: counted in the transaction of the document that bears them. Channel 0: not of one dealer (SSCC serials).
create table dealer_counters (
  channel_id smallint not null,
  name text not null,
  value bigint not null,
  primary key (channel_id, name)
);

-- False: nobody is told the stock of this shop; it is fetched. Changes of it need not be noted.
alter table channel_shops add column tells_stock boolean not null default true;
