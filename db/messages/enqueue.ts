import type { MessageParams, Purpose, Way } from '../../domain/messages/message.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Tx } from '../tx.ts';

/** How long a message is worth telling, where its sender does not say: three days for a service, one for an offer. */
const WORTH_MS: Readonly<Record<Purpose, number>> = { service: 3 * 86_400_000, marketing: 86_400_000 };

/**
 * A message to a person, as whoever has something to tell asks for it.
 * - `key`: names the fact that is told (`parcel:<id>:delivered`): the same key is one message, however often and by whomever it is asked for.
 * - `person`: the vault reference: who, and the contact in which the address stands (an order's `personId` and `contactId`). The address is read when it is sent.
 * - `template`: the key of a message template; `params`: what it is filled with, never anything personal ({recipient} is the person's name, filled in at sending).
 * - `ways`: in order of preference; the first that has an address, a consent and a messenger carries it, another one only where that one refuses it.
 * - `orderId`: it then shows on the order's timeline. `notBefore`, `expiresAt`: not told earlier, given up later.
 */
export type MessageRequest = {
  key: string; person: { personId: string; contactId: string }; template: string; params?: MessageParams; purpose: Purpose; ways: readonly Way[];
  orderId?: string | null; notBefore?: Date; expiresAt?: Date;
};

/** Asks for messages in the caller's transaction: they go out if it commits. Nothing is checked here that could fail it. Returns how many were new. */
export async function enqueueMessages(tx: Tx, requests: readonly MessageRequest[]): Promise<number> {
  if (requests.length === 0) return 0;
  // Sorted, so that two who ask for the same messages do not wait for each other crosswise.
  const sorted = [...requests].sort((a, b) => (a.key < b.key ? -1 : 1));
  const rows = await tx.query(
    `insert into messages (id, key, person_id, contact_id, order_id, purpose, template, params, ways, due_at, expires_at, created_at)
     select id, key, person_id, contact_id, order_id, purpose, template, params, string_to_array(ways, ','), due_at, expires_at, $12
     from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[], $9::text[], $10::timestamptz[], $11::timestamptz[])
       as m (id, key, person_id, contact_id, order_id, purpose, template, params, ways, due_at, expires_at)
     on conflict (key) do nothing returning id`,
    [sorted.map(() => uuidv7()), sorted.map((r) => r.key), sorted.map((r) => r.person.personId), sorted.map((r) => r.person.contactId), sorted.map((r) => r.orderId ?? null),
      sorted.map((r) => r.purpose), sorted.map((r) => r.template), sorted.map((r) => JSON.stringify(r.params ?? {})), sorted.map((r) => [...new Set(r.ways)].join(',')),
      sorted.map((r) => r.notBefore ?? tx.now), sorted.map((r) => r.expiresAt ?? new Date((r.notBefore ?? tx.now).getTime() + WORTH_MS[r.purpose])), tx.now]);
  return rows.length;
}

/** One message. True: it is new; false: the key was asked for before, and nothing changes. */
export async function enqueueMessage(tx: Tx, request: MessageRequest): Promise<boolean> {
  return (await enqueueMessages(tx, [request])) === 1;
}
