import type { Tx } from '../../tx.ts';
import type { Contact, Vault } from '../../vault.ts';

/**
 * What was written about merged orders, and the first invoice asked for, kept with the order that stays: its contact is written anew where another
 * order adds to it. Call under the orders' locks, in the merge's transaction. Erased people have said nothing.
 */
export async function joinRemarks(tx: Tx, vault: Vault, into: string, orderIds: readonly string[]): Promise<void> {
  const orders = await tx.query<{ id: string; person_id: string; contact_id: string }>(
    'select id, person_id, contact_id from orders where id = any($1::uuid[]) and (id = $2 or has_remarks or invoice_requested) order by id', [orderIds, into]);
  const stays = orders.find((o) => o.id === into);
  const own = stays && await vault.readContact(tx.client, stays.contact_id);
  if (!stays || !own) return;
  const contacts: Contact[] = [own];
  for (const other of orders) {
    const contact = other.id === into ? null : await vault.readContact(tx.client, other.contact_id);
    if (contact) contacts.push(contact);
  }
  const join = (remarks: (string | null)[]): string | null => [...new Set(remarks.filter((r) => r !== null && r !== ''))].join('\n') || null;
  const buyerRemark = join(contacts.map((c) => c.buyerRemark));
  const sellerRemark = join(contacts.map((c) => c.sellerRemark));
  const invoice = contacts.find((c) => c.invoice !== null)?.invoice ?? null;
  if (buyerRemark === join([own.buyerRemark]) && sellerRemark === join([own.sellerRemark]) && (own.invoice !== null || invoice === null)) return;
  const contactId = await vault.writeContact(tx.client, stays.person_id, { ...own, buyerRemark, sellerRemark, invoice });
  await tx.query('update orders set contact_id = $2, has_remarks = $3 where id = $1', [into, contactId, buyerRemark !== null || sellerRemark !== null]);
}
