-- Which milestones of a parcel are told to its receiver, and how; channel 0: every channel without a row of its own. Orders of a platform's shop are told by the platform.
create table milestone_messages (
  channel_id smallint primary key,
  milestones text[] not null,
  ways text[] not null check (cardinality(ways) between 1 and 3),
  changed_by text not null,
  changed_at timestamptz not null
);
