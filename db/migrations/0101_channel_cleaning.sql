-- Reports of a shop, the newest first, all and those that somebody must see; and what is old enough to be forgotten.
create index channel_reports_list on channel_reports (channel_id, id desc);
create index channel_reports_open on channel_reports (channel_id, id desc) where done_at is null or refused;
create index channel_reports_done on channel_reports (done_at) where done_at is not null;
