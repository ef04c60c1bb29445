-- One account may be asked for numbers of several carriers for the same parcel, one after the other: each has a row, a draft and an id over there of its own. That id, unique with an account, stays the key,
-- so that processes of the version before go on; they know of the first carrier's row alone. waybills_request is for them: drop it a release later.
alter table waybills add column made_for text; -- ful_… or rma_…, where request_id, the id under which it is asked for there, is another
create unique index waybills_of_carrier on waybills (account, coalesce(made_for, request_id), carrier);
create index waybills_made_for on waybills (coalesce(made_for, request_id));
