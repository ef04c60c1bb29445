-- Days on which a location does not work though its week says so: holidays, stocktaking. Local calendar days.
create table location_closed_days (
  location_id integer not null references locations,
  day date not null,
  reason text not null,
  primary key (location_id, day)
);
create trigger location_closed_days_notify after insert or update or delete on location_closed_days for each statement execute function notify_network();
