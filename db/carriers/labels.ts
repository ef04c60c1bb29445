import type pg from 'pg';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Contact, Vault } from '../vault.ts';
import { readWaybill, storeLabel, type StoredLabel } from './waybills.ts';

/** What a label of our own says. */
export type LabelFacts = { carrierName: string; waybillNo: string; service: string; requestId: string; from: { city: string; province: string; name: string }; to: Contact['shipTo'] };
type Deps = { pool: pg.Pool; writer: StockWriter; vault: Vault; network: Network };
type Head = { locationId: number; carrier: string | null; waybillNo: string | null; service: string; contactId: string };

/**
 * The label of a fulfillment order, the same bytes however often it is asked for: the carrier's, or one drawn by `draw` the first time and kept. `onlyLocation`: the location that the key is
 * bound to; another's is as if it did not exist. Throws Problem: not_found, conflict while there is none yet, unprocessable where there will be none.
 */
export async function fulfillmentLabel({ pool, writer, vault, network }: Deps, id: string, onlyLocation: number | null, draw: (facts: LabelFacts) => StoredLabel): Promise<StoredLabel & { waybillNo: string }> {
  const { rows: [head] } = await pool.query<Head>(
    `select f.location_id "locationId", f.carrier, f.waybill_no "waybillNo", f.service, coalesce(f.contact_id, o.contact_id) "contactId" from fulfillment_orders f join orders o on o.id = f.order_id where f.id = $1`, [decodeId('ful', id)]);
  if (!head || (onlyLocation !== null && head.locationId !== onlyLocation)) throw new Problem('not_found', `fulfillment order "${id}" does not exist`);
  const row = await readWaybill(pool, id);
  const waybillNo = head.waybillNo;
  if (waybillNo === null || head.carrier === null) throw new Problem('conflict', 'it has no waybill yet: it gets one when it is released to its location');
  if (row && row.waybillNo === waybillNo) {
    if (row.labelState === 'stored' && row.labelId !== null) return { type: row.labelType ?? 'application/pdf', bytes: await kept(vault, pool, row.labelId), waybillNo };
    if (row.labelState === 'due') throw new Problem('conflict', `${row.account} has not given the label yet; it is asked for again${row.error === null ? '' : `: ${row.error}`}`);
    if (row.labelState === 'refused') throw new Problem('unprocessable', `${row.account} gives no label: ${row.error ?? 'the receiver has been erased'}`);
  }
  const contact = await vault.readContact(pool, head.contactId);
  const location = network.locationById.get(head.locationId);
  if (!contact || !location) throw erased();
  const label = draw({
    carrierName: network.carriers.get(head.carrier)?.name ?? head.carrier, waybillNo, service: head.service, requestId: id, from: { city: location.place.city, province: location.place.province, name: location.name }, to: contact.shipTo,
  });
  if (!row || row.waybillNo !== waybillNo) return { ...label, waybillNo };
  await writer.change((tx) => storeLabel(tx, vault, row, label));
  // Two who asked at once drew the same; what was kept is what counts.
  const now = await readWaybill(pool, id);
  return { type: label.type, bytes: now?.labelId ? await kept(vault, pool, now.labelId) : label.bytes, waybillNo };
}

async function kept(vault: Vault, pool: pg.Pool, labelId: string): Promise<Buffer> {
  const bytes = await vault.readDocument(pool, labelId);
  if (!bytes) throw erased();
  return bytes;
}
const erased = (): Problem => new Problem('not_found', 'the receiver has been erased, and the label with them');

/** The label by which a buyer sends a return back; only where its carrier gave one. Throws as above. */
export async function returnLabel({ pool, vault }: Pick<Deps, 'pool' | 'vault'>, rma: string, onlyLocation: number | null): Promise<StoredLabel & { waybillNo: string }> {
  const { rows: [head] } = await pool.query<{ id: string; location_id: number | null }>('select id, location_id from returns where id = $1', [decodeId('rma', rma)]);
  if (!head || (onlyLocation !== null && head.location_id !== onlyLocation)) throw new Problem('not_found', `return "${rma}" does not exist`);
  const row = await readWaybill(pool, encodeId('rma', head.id));
  if (row?.state !== 'issued' || row.labelState !== 'stored' || row.labelId === null || row.waybillNo === null) throw new Problem('conflict', row?.state === 'issued' && row.labelState === 'due' ? 'the label has not come yet; it is asked for again' : 'this return has no label of a carrier');
  return { type: row.labelType ?? 'application/pdf', bytes: await kept(vault, pool, row.labelId), waybillNo: row.waybillNo };
}
