-- The number that a line had in the order that it came from (merged_from): a platform's line is found by it after orders were merged and split. Null: merged before this was kept.
alter table order_lines add merged_line integer;
