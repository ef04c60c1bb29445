-- When somebody is there to accept an order, minutes after local midnight of a work day; null: the usual hours of its kind (domain/promising/hours.ts). A close beyond 1440 is after midnight.
alter table locations
  add open_minutes smallint check (open_minutes between 0 and 1439),
  add close_minutes smallint,
  add constraint locations_hours_check check ((open_minutes is null) = (close_minutes is null) and close_minutes > open_minutes and close_minutes <= open_minutes + 1440);
