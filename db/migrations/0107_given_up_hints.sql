-- Since when a hint has failed, and how often the platform itself refused to show what it points at: how long it is waited for.
alter table channel_hints add column failed_since timestamptz, add column refusals smallint not null default 0;
-- All that was heard of one thing and is not read yet.
create index channel_hints_thing on channel_hints (channel_id, external_id) where done_at is null;
