import type { Logger } from 'pino';
import { carrierConnector } from '../carriers/registry.ts';
import { takeStaleParcels } from '../db/fulfillment/stale-parcels.ts';
import { trackParcels } from '../db/fulfillment/track-parcels.ts';
import type { Store } from '../db/store.ts';
import type { Http } from '../domain/http-port.ts';

const BATCH = 20;

/** Asks carriers about parcels whose pushes have stopped. A carrier that cannot answer is asked again after the same while. Returns how many events were new. */
export async function pollCarriers(store: Pick<Store, 'pool' | 'network' | 'vault' | 'writer'>, http: Http, logger: Logger): Promise<number> {
  let news = 0;
  for (const { carrier: code, waybillNo } of await takeStaleParcels(store.pool, store.writer.clock(), BATCH)) {
    const carrier = store.network.carriers.get(code);
    const connector = carrier && carrierConnector(http, carrier, carrier.secret === null ? null : store.vault.openSecret(carrier.secret));
    if (!connector) continue;
    try {
      const events = await connector.events(waybillNo);
      if (events.length > 0) news += (await trackParcels(store.writer, code, events)).accepted;
    } catch (error) {
      logger.warn({ err: error, carrier: code }, 'carrier not polled');
    }
  }
  return news;
}
