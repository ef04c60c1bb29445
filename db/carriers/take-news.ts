import { trackParcels, type TrackingNews } from '../fulfillment/track-parcels.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { CarrierAccount } from './accounts.ts';
import { followAgain } from './follows.ts';

/** A tracker that has given a parcel up takes it again after half an hour (快递100: 30 min). */
const AGAIN_S = 1_800;

/** What an account has pushed: of its own parcels, or of those of the carriers that it follows. Each event once. */
export async function takeNews(writer: StockWriter, account: Pick<CarrierAccount, 'code' | 'asks'>, events: readonly TrackingNews[], again: readonly { carrier?: string; waybillNo: string }[]): Promise<void> {
  const byCarrier = new Map<string, TrackingNews[]>();
  for (const event of events) {
    const carrier = event.carrier ?? await carrierOf(writer, account, event.waybillNo);
    byCarrier.set(carrier, [...byCarrier.get(carrier) ?? [], event]);
  }
  for (const [carrier, news] of byCarrier) {
    const { unknown } = await trackParcels(writer, carrier, news, carrier === account.code ? null : account.code);
    // Kept under the account's own name, because nobody knew whose parcel it is: it may have left meanwhile.
    if (unknown > 0 && carrier === account.code && !account.asks.includes(carrier)) await takeKnown(writer, account, news);
  }
  const parcels = await Promise.all(again.map(async (p) => ({ waybillNo: p.waybillNo, carrier: p.carrier ?? await carrierOf(writer, account, p.waybillNo) })));
  await followAgain(writer.pool, account.code, parcels, writer.clock(), AGAIN_S);
}

async function takeKnown(writer: StockWriter, account: Pick<CarrierAccount, 'code' | 'asks'>, news: readonly TrackingNews[]): Promise<void> {
  for (const n of news) {
    const carrier = await carrierOf(writer, account, n.waybillNo);
    if (carrier !== account.code) await trackParcels(writer, carrier, [n], account.code);
  }
}

/** Whose parcel it is, where the account did not say: of the carriers it knows, the one with that number. */
async function carrierOf(writer: StockWriter, { code, asks }: Pick<CarrierAccount, 'code' | 'asks'>, waybillNo: string): Promise<string> {
  if (asks.length === 1 && asks[0] !== undefined) return asks[0];
  const { rows: [row] } = await writer.pool.query<{ carrier: string }>({ name: 'parcel_carrier', text: 'select carrier from parcels where waybill_no = $1 and carrier = any($2::text[]) order by id desc limit 1', values: [waybillNo, asks] });
  return row?.carrier ?? code;
}
