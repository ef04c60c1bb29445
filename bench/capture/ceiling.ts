import { prepareOrder } from '../../db/capture/prepare.ts';
import { openStore } from '../../db/store.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { orderBody } from '../seed.ts';
import { seeded } from '../support/random.ts';

/** The same SQL in full batches, straight from this process: orders a second. */
export async function ceiling(url: string, vaultKey: Buffer, orders: number, skus: number, cities: readonly string[]): Promise<number> {
  const store = await openStore({ url, vaultKey });
  const random = seeded(99);
  await store.network.loadSkus(Array.from({ length: skus }, (_, i) => `SKU-${i + 1}`));
  const bodies = Array.from({ length: orders }, (_, i) => orderBody(5_000_000 + i, skus, cities, random) as unknown as OrderIntake);
  const started = performance.now();
  for (let from = 0; from < orders; from += 1_000) {
    await Promise.all(bodies.slice(from, from + 1_000).map((body) =>
      store.capture.submit(prepareOrder(body, store.network, store.vault, new Date(), { apiKeyId: 1, idempotencyKey: null, actor: 'key:bench', locationId: null }))));
  }
  const perSecond = orders / ((performance.now() - started) / 1000);
  await store.close();
  return perSecond;
}
