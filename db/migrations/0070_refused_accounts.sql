-- Lanes of a shop that wait because the platform refuses the account: {lane: {reason, since, until}}; and when what it had refused was last tried again.
alter table channel_shops add column paused jsonb not null default '{}', add column retried_at timestamptz;
create index channel_reports_refused on channel_reports (channel_id) where refused;
create index listings_refused on listings (channel_id) where refused is not null;
