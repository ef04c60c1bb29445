-- What the promotions said when promoted_spans last followed them: (events, newest of them).
create table promoted_seen (single boolean primary key default true check (single), events bigint not null, newest bigint not null);
insert into promoted_seen values (true, 0, 0);
