-- Parcels that are on their way, by when they were last heard of, pushed or asked for. parcels_moving is for processes of the version before: drop it a release later.
create index parcels_heard on parcels (greatest(coalesce(polled_at, milestone_at), heard_at)) where milestone not in ('delivered', 'returned', 'lost');
