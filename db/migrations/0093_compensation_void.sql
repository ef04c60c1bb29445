-- A compensation that was booked before the news came that the goods had been there in time is not owed.
alter table compensations
  drop constraint compensations_status_check,
  add constraint compensations_status_check check (status in ('due', 'settled', 'void')),
  add voided_at timestamptz;
