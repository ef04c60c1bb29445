-- An address that nobody knows is not sent anywhere by guess: held until somebody mends or confirms it. A rule like any other: it can be changed or switched off.
insert into audit_rules (name, kind, action, priority, params) values ('unknown address', 'address', 'hold', 10, '{"unknown": true}') on conflict do nothing;
