-- Capture knows pauses from memory, as it knows blocks: what a paused location sells is promised from the end of its pause on.
create trigger location_pauses_notify after insert or update or delete on location_pauses for each statement execute function notify_network();
