import type { ShipmentCall } from '../channel.ts';
import { text, whole, type Bag } from '../safe-json.ts';
import type { TaobaoClient } from './client.ts';
import { ordersOf } from './map.ts';
import type { TaobaoSettings } from './settings.ts';

/** consign_type of alibaba.ascp.logistics.offline.send: parcels with units of their own */
const BY_UNITS = '1';

/**
 * Tells one parcel. Sub-orders leave whole by taobao.logistics.offline.send, all of the order's or those that are named; a parcel with a part of a sub-order's units is told by
 * alibaba.ascp.logistics.offline.send, which says whether more of each will follow.
 */
export async function sendParcel(client: TaobaoClient, s: TaobaoSettings, { externalId, carrier, waybillNo, lines, last, parcels }: ShipmentCall, trade: Bag): Promise<void> {
  const parcel = { out_sid: waybillNo, company_code: s.carriers[carrier] ?? carrier };
  const ordered = new Map(ordersOf(trade).map((o) => [text(o['oid']), whole(o['num']) ?? 0]));
  const told = (lineId: string): number => parcels.reduce((sum, p) => sum + p.lines.reduce((n, l) => n + (l.lineId === lineId ? l.quantity : 0), 0), 0);
  const isWhole = (l: { lineId: string; quantity: number }): boolean => l.quantity >= (ordered.get(l.lineId) ?? 0) || (last && told(l.lineId) === l.quantity);
  if (lines.every(isWhole)) {
    const split = !(last && parcels.length === 1);
    await client.call('taobao.logistics.offline.send', { tid: externalId, ...parcel, ...(split ? { is_split: '1', sub_tid: lines.map((l) => l.lineId).join(',') } : {}) }, 'shipment');
    return;
  }
  await client.call('alibaba.ascp.logistics.offline.send', {
    tid: externalId, consign_type: BY_UNITS, consign_pkgs: JSON.stringify([{ ...parcel, goods: lines.map((l) => ({ sub_tid: l.lineId, num: l.quantity })) }]),
    consign_status: JSON.stringify(lines.map((l) => ({ sub_tid: l.lineId, is_part_consign: !last && told(l.lineId) < (ordered.get(l.lineId) ?? 0) }))),
  }, 'shipment');
}
