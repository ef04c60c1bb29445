import type pg from 'pg';
import type { Purpose, Way } from '../../domain/messages/message.ts';
import type { Contact, Vault } from '../vault.ts';

/** The address of a contact for a way, in the form in which it is compared and sent; null where there is none (or where only the platform knows it). */
export function addressOf(contact: Contact, way: Way): string | null {
  const { buyer, shipTo } = contact;
  if (way === 'wecom') return buyer?.wecomId ?? null;
  if (way === 'email') return buyer?.email?.trim().toLowerCase() ?? null;
  const phone = buyer?.phone ?? (shipTo.sealed === undefined ? shipTo.phone : undefined);
  return phone === undefined ? null : plainPhone(phone);
}

/** Digits with an optional plus; the mainland's own prefix is left out. Null where it cannot be a number that takes messages. */
export function plainPhone(phone: string): string | null {
  const digits = phone.replaceAll(/[\s()\-./]/g, '').replace(/^(\+86|0086)(?=1\d{10}$)/, '');
  return /^\+?\d{5,15}$/.test(digits) ? digits : null;
}

const KINDS = { sms: 'phone', email: 'email', wecom: 'wecom' } as const;
export const addressHash = (vault: Vault, way: Way, address: string): Buffer => vault.hash(KINDS[way], way === 'sms' ? plainPhone(address) ?? address : address);

export type ConsentInput = { way: Way; address: string; purpose: Purpose; allowed: boolean; source: string };

/** Notes what addresses want, the later word against the earlier one. `source`: where they said it (`import:members-2026-11`, `reply`, `key:NAME`). Addresses are kept as keyed hashes only. */
export async function writeConsents(client: pg.ClientBase | pg.Pool, vault: Vault, consents: readonly ConsentInput[], at: Date): Promise<void> {
  const last = new Map(consents.map((c) => [`${c.way} ${c.purpose} ${addressHash(vault, c.way, c.address).toString('hex')}`, c]));
  const rows = [...last.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, c]) => c);
  if (rows.length === 0) return;
  await client.query({
    name: 'consents_write',
    text: `insert into message_consents (address_hash, way, purpose, allowed, at, source)
      select h, w, p, a, $6, s from unnest($1::bytea[], $2::text[], $3::text[], $4::boolean[], $5::text[]) as c (h, w, p, a, s)
      on conflict (address_hash, way, purpose) do update set allowed = excluded.allowed, at = excluded.at, source = excluded.source where message_consents.at <= excluded.at`,
    values: [rows.map((c) => addressHash(vault, c.way, c.address)), rows.map((c) => c.way), rows.map((c) => c.purpose), rows.map((c) => c.allowed), rows.map((c) => c.source), at],
  });
}

/** What an address told us of a purpose; null: nothing. A no to services is a no to offers too. */
export async function readConsent(pool: pg.Pool | pg.ClientBase, hash: Buffer, way: Way, purpose: Purpose): Promise<boolean | null> {
  const { rows } = await pool.query<{ purpose: Purpose; allowed: boolean }>({ name: 'consent_read', text: 'select purpose, allowed from message_consents where address_hash = $1 and way = $2', values: [hash, way] });
  const said = (p: Purpose): boolean | null => rows.find((r) => r.purpose === p)?.allowed ?? null;
  return purpose === 'marketing' && said('service') === false ? false : said(purpose);
}
