import { addressHash, addressOf, readConsent } from '../../db/messages/consents.ts';
import type { LeasedMessage } from '../../db/messages/lease.ts';
import type { MessengerRow } from '../../db/messages/messengers.ts';
import type { Store } from '../../db/store.ts';
import type { Vault } from '../../db/vault.ts';
import { decodeId } from '../../domain/ids.ts';
import { fill, mayWrite, type Way } from '../../domain/messages/message.ts';
import type { OutgoingMessage } from '../../messengers/messenger.ts';

export type Prepared = { messenger: MessengerRow; message: OutgoingMessage };
export type NotPrepared = { status: 'failed' | 'skipped'; reason: string };

/** Reasons, the most telling first: a message that somebody must mend says so; one that nobody wants is skipped. */
const REASONS = ['missing_parameter', 'no_template', 'opted_out', 'no_consent', 'no_messenger', 'no_address'] as const;
const OURS = new Set<string>(['missing_parameter', 'no_template']);

/** Reads the address and finds the way, in the order of preference. `only`: the way and messenger of a try whose outcome is not known. */
export async function prepareMessage(
  { pool, vault }: Pick<Store, 'pool' | 'vault'>, messengers: readonly MessengerRow[], m: LeasedMessage, only: { way: Way; messenger: string } | null,
): Promise<Prepared | NotPrepared> {
  const contact = await vault.readContact(pool, m.contactId);
  if (!contact) return { status: 'skipped', reason: 'erased' };
  const found = new Set<string>();
  for (const way of only ? [only.way] : m.ways) {
    if (m.refusedWays.includes(way)) continue;
    const to = addressOf(contact, way);
    const messenger = messengers.find((c) => (only ? c.code === only.messenger : c.active && c.ways.includes(way)));
    const template = m.texts[way] ?? m.texts['*'];
    if (to === null) found.add('no_address');
    else if (!template) found.add('no_template');
    else if (!messenger) found.add('no_messenger');
    else {
      // A word that came after a try was begun does not unsend it: what is asked then is whether it went.
      const may = only ? 'yes' : mayWrite(m.purpose, await readConsent(pool, addressHash(vault, way, to), way, m.purpose));
      if (may !== 'yes') {
        found.add(may);
        continue;
      }
      const values: Record<string, string> = { recipient: contact.buyer?.name ?? contact.shipTo.name };
      for (const [name, value] of Object.entries(m.params)) values[name] = typeof value === 'object' ? codeOf(vault, value) : String(value);
      const text = fill(template.body, values);
      const subject = template.subject === null ? null : fill(template.subject, values);
      if (text.missing.length + (subject?.missing.length ?? 0) > 0) {
        found.add('missing_parameter');
        continue;
      }
      const { recipient, ...params } = values;
      const wantsName = /\{recipient\}/.test(template.body);
      return {
        messenger,
        message: { key: `${m.id}.${m.round}.${way}`, way, to, subject: subject?.text ?? null, text: text.text, providerTemplate: template.providerTemplate, params: wantsName && recipient !== undefined ? { ...params, recipient } : params },
      };
    }
  }
  const reason = REASONS.find((r) => found.has(r)) ?? 'refused';
  return { status: reason === 'refused' || OURS.has(reason) || m.refusedWays.length > 0 ? 'failed' : 'skipped', reason: m.refusedWays.length > 0 ? 'refused' : reason };
}

/** A code that is kept nowhere. */
function codeOf(vault: Vault, of: { pickupCode: string } | { couponCode: string }): string {
  return 'couponCode' in of ? vault.couponCode(of.couponCode) : vault.pickupCode(decodeId('ful', of.pickupCode) ?? of.pickupCode);
}
