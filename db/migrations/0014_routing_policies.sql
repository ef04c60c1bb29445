-- A routing policy that has been active stays as it was for good: decisions name it. Draft to active, active to retired, and no other way; before, an active one could be made a
-- draft again and rewritten.
create or replace function keep_routing_policy() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.status <> 'draft' then raise exception 'routing policy % version % has been active: it is retired, never deleted', old.code, old.version; end if;
    return old;
  end if;
  if new.status <> old.status and (old.status, new.status) not in (('draft', 'active'), ('active', 'retired')) then
    raise exception 'routing policy % version % is %: it does not become %', old.code, old.version, old.status, new.status;
  end if;
  if old.status <> 'draft' and (new.id, new.code, new.version, new.body, new.hash, new.effective_at, new.author, new.created_at, new.activated_at)
      is distinct from (old.id, old.code, old.version, old.body, old.hash, old.effective_at, old.author, old.created_at, old.activated_at) then
    raise exception 'routing policy % version % is %: make a new version', old.code, old.version, old.status;
  end if;
  return new;
end $$;
