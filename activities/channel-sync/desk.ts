import { answerOrder, despatchOrder, orderEnded, refuseOrder } from '../../db/dealers/answer-order.ts';
import { keptOrder } from '../../db/dealers/read.ts';
import { listingsOf } from '../../db/channels/listings.ts';
import type { ShopRow } from '../../db/channels/shops.ts';
import type { DealerDesk } from '../../domain/dealer/desk.ts';
import { profileOf } from '../../domain/dealer/profile.ts';
import type { ActivityDeps } from '../deps.ts';

/** The desk of one dealer, over the database. */
export function createDesk({ writer, network, vault }: ActivityDeps, shop: ShopRow): DealerDesk {
  const { channel, settings, secrets } = shop;
  const profile = profileOf(channel.currency, settings, secrets);
  return {
    read: (externalId) => keptOrder(writer.pool, vault, channel.id, externalId),
    async unmapped(listings) {
      const known = await listingsOf(writer.pool, network, channel.id, listings, settings['mapByMerchantCode'] === true, writer.clock());
      return new Set(listings.map((l) => l.platformSku).filter((sku) => (known.get(sku)?.components.length ?? 0) === 0));
    },
    answer: (externalId) => answerOrder(writer, channel, profile, externalId),
    async refuse(externalId, reason) { await refuseOrder(writer, channel, externalId, reason); },
    ended: (externalId) => orderEnded(writer, channel, externalId),
    despatch: (externalId, parcels) => despatchOrder(writer, channel, profile, externalId, parcels),
  };
}
