-- When a campaign is to be looked at next: one that is late has lost its workflow, or the wish for it, and housekeeping asks again.
alter table campaigns add wake_at timestamptz;
update campaigns set wake_at = now() where reported_at is null;
create index campaigns_wake on campaigns (wake_at) where reported_at is null;

-- What the discounts of a campaign may come to, counted by capture under its lock: over all promotions of a stage (a bundle for each SKU, price step after price step) and over all stages.
create table campaign_budgets (
  campaign_id uuid not null references campaigns,
  stage integer not null check (stage >= 0), -- 0: the whole campaign, of which only `spent` counts
  budget bigint,                             -- of the stage's discounts; null: no budget of its own
  most bigint,                               -- of the campaign's discounts, as long as this stage gives any
  spent bigint not null default 0 check (spent >= 0),
  primary key (campaign_id, stage)
);
insert into campaign_budgets (campaign_id, stage, spent)
  select s.campaign_id, s.no, coalesce((select sum(r.amount) from promotions p join promotion_redemptions r on r.promotion_id = p.id and r.given_back_at is null where p.campaign_id = s.campaign_id and p.stage = s.no::text), 0)
  from campaign_stages s join campaigns c on c.id = s.campaign_id where c.ended_at is null;
insert into campaign_budgets (campaign_id, stage, spent) select campaign_id, 0, sum(spent) from campaign_budgets group by 1;
