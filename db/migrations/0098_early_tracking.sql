-- Signed for, so that a parcel which had turned round has come back: kept, because news may come before the goods issue and is applied with it.
alter table tracking_events add column ends_return boolean not null default false;
