-- 审单: sold below the floor of the price book.
alter table audit_rules drop constraint audit_rules_kind_check;
alter table audit_rules add constraint audit_rules_kind_check check (kind in ('amount', 'address', 'remark', 'duplicate', 'blocked', 'margin', 'floor'));
