-- Captures of a platform's order that were begun: by the hash of the body, from which state and with which lines. A capture of which nobody could note what it was made of any more is known by its order's hash.
alter table channel_orders add column begun jsonb;
