import { openStore } from '../../db/store.ts';
import { prepareOrder } from '../../db/capture/prepare.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { orderBody } from '../seed.ts';
import { calibrate } from '../support/calibration.ts';
import { residentMb } from '../support/cpu.ts';
import { seeded } from '../support/random.ts';
import { startStack, VAULT_KEY, waitFor } from '../support/stack.ts';

const SKUS = 200;
const URGENT_SHARE = 0.05;

/** Orders captured at once with the worker off, then the worker on: how fast they reach their location, the urgent ones first, memory flat. */
export async function backlog(args: string[]): Promise<Record<string, unknown>> {
  const orders = Number(args[0] ?? 20_000);
  const stack = await startStack({ locations: 17, skus: SKUS, stock: 5_000, speed: 1 });
  try {
    const calibration = await calibrate(stack.postgres.url);
    const urgent = await captureAll(stack.postgres.url, orders, stack.cities);
    console.log(`captured ${orders}, ${urgent} of them urgent; the worker starts`);
    const worker = await stack.startWorker();
    const pid = worker.process.pid ?? 0;
    const started = performance.now();
    const memory: { handedOver: number; mb: number }[] = [];
    const released = `select count(*) n from fulfillment_orders where status not in ('routed', 'releasing')`;
    await waitFor(stack.pool, released, orders, (n) => {
      if (memory.length === 0 || n - (memory.at(-1)?.handedOver ?? 0) >= orders / 20) {
        memory.push({ handedOver: n, mb: residentMb(pid) });
        console.log(`handed over ${n} of ${orders} in ${((performance.now() - started) / 1000).toFixed(0)} s, worker ${residentMb(pid)} MB`);
      }
    });
    const seconds = (performance.now() - started) / 1000;
    const perSecond = orders / seconds;
    // The share of urgent orders among the first handed over, as many as there are urgent ones.
    const first = await stack.pool.query<{ n: number }>(
      `select count(*) n from (select o.priority from fulfillment_orders f join orders o on o.id = f.order_id order by f.released_at limit $1) x where priority = 9`, [urgent]);
    const half = memory[Math.floor(memory.length / 2)]?.mb ?? 0;
    return {
      bench: 'backlog', orders, handedOverPerSecond: Math.round(perSecond * 10) / 10, urgentFirstShare: Math.round(((first.rows[0]?.n ?? 0) / urgent) * 1000) / 1000,
      memoryMbHalfway: half, memoryMbEnd: memory.at(-1)?.mb ?? 0, seconds: Math.round(seconds), hoursFor100000: Math.round((100_000 / perSecond / 3600) * 100) / 100, calibration,
    };
  } finally {
    await stack.stop();
  }
}

async function captureAll(url: string, orders: number, cities: readonly string[]): Promise<number> {
  const store = await openStore({ url, vaultKey: VAULT_KEY });
  await store.network.loadSkus(Array.from({ length: SKUS }, (_, i) => `SKU-${i + 1}`));
  const random = seeded(7);
  let urgent = 0;
  for (let from = 0; from < orders; from += 1_000) {
    await Promise.all(Array.from({ length: Math.min(1_000, orders - from) }, (_, i) => {
      const hurry = random() < URGENT_SHARE;
      if (hurry) urgent++;
      const body = { ...orderBody(from + i, SKUS, cities, random), ...(hurry ? { priority: 9 } : {}) } as unknown as OrderIntake;
      return store.capture.submit(prepareOrder(body, store.network, store.vault, new Date(), { apiKeyId: 1, idempotencyKey: null, actor: 'key:bench', locationId: null }));
    }));
  }
  await store.close();
  return urgent;
}
