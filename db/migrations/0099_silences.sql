-- Since when its parcel was silent: an exception that somebody has closed is not raised again for the same silence.
alter table parcel_exceptions add column heard_at timestamptz;
create index parcel_exceptions_parcel on parcel_exceptions (parcel_id, kind);
