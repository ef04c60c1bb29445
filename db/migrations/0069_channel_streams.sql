-- Connections over which platforms push. One worker holds each, by a lease that it renews; shops of one app share theirs.
create table channel_streams (
  key text primary key,
  holder uuid,
  leased_until timestamptz,
  opened_at timestamptz, -- null: not open now
  heard_at timestamptz, -- when the platform last said anything
  kept bigint not null default 0, -- messages that were kept and acknowledged
  opens integer not null default 0, -- how often it was opened
  fault text, -- why it was last closed or refused
  fault_at timestamptz
);
