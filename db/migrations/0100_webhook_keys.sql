-- A webhook belongs to the key that made or last changed it, and stops with it.
alter table webhook_endpoints add column paused_reason text; -- why, where nobody has paused it by hand
update webhook_endpoints e set status = 'paused', paused_reason = 'its API key was revoked', updated_at = now() from api_keys k where k.id = e.api_key_id and k.revoked_at is not null and e.status = 'active';
create index webhook_endpoints_key on webhook_endpoints (api_key_id);
