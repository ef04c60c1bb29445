-- What the shop must at least be paid for one unit of a listing: a price below it is a mistake on the platform, and the order waits for somebody.
alter table listings add column price_floor bigint check (price_floor >= 0);
