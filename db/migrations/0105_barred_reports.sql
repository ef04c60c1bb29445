-- A report that waits because the account may not tell its kind: later ones of other kinds of its order do not wait for it.
alter table channel_reports add column barred boolean not null default false;
