import { seeded } from '../support/random.ts';
import { ask, connectShop, type BenchPlatform, type BenchShop } from '../support/shops.ts';
import { startStack, type Stack } from '../support/stack.ts';

const UNITS = 1_000;
/** Buyers who want a unit: a fifth more than there are. */
const BUYERS = 1_200;
/** How buyers spread over the platforms; the shares of the stock are even, as they are where nobody knows. */
const WEIGHTS = [0.3, 0.25, 0.18, 0.12, 0.1, 0.05];
const PLATFORMS: readonly BenchPlatform[] = ['generic', 'douyin', 'shopify'];
/** Tellings of a platform's sales come so late, s. */
const LAG_S = [1, 60] as const;
const PREHOLDS = 0.2;

type Mode = 'hardShares' | 'pooled';
type Figures = { oversoldPer100k: number; lostSales: number; sold: number; oversold: number; mostOversold: number };

/**
 * Six platforms sell one SKU of 1,000 units on their own, from what was published to them: they tell of their sales 1–60 s late, throttle us, and keep units for buyers who have not paid. `hardShares`: each
 * shop has an allotment, whose units nobody else can sell; `pooled`: all are shown the same stock. Oversold: units that the platforms have sold beyond those there are. Lost: buyers who were refused although
 * units were left at the end. `mostOversold`: what may at most be oversold, the buyers of the longest lag. Argument: seconds that the sale lasts (180).
 */
export async function crossChannel(args: string[]): Promise<Record<string, unknown>> {
  const seconds = Number(args[0] ?? 180);
  return { bench: 'cross-channel', units: UNITS, buyers: BUYERS, platforms: WEIGHTS.length, seconds, hardShares: await sale('hardShares', seconds), pooled: await sale('pooled', seconds) };
}

async function sale(mode: Mode, seconds: number): Promise<Figures> {
  const stack = await startStack({ locations: 1, skus: 1, stock: UNITS, speed: 1_000, acceptTimeoutS: 86_400 });
  const shops: BenchShop[] = [];
  try {
    await stack.startWorker();
    const items = [{ sku: 'P-1', itemId: '9001', merchantCode: 'SKU-1', title: 'Item 1', price: 1000, stock: 0 }];
    for (const [i] of WEIGHTS.entries()) {
      const shop = await connectShop(stack, { code: `cross-${i + 1}`, platform: PLATFORMS[i % PLATFORMS.length] as BenchPlatform, items });
      shops.push(shop);
      if (mode === 'hardShares') await share(stack, shop, i < UNITS % WEIGHTS.length ? Math.ceil(UNITS / WEIGHTS.length) : Math.floor(UNITS / WEIGHTS.length));
      await ask(stack, 'POST', `/v1/channels/${shop.code}/listings`, { mappings: [{ platformSku: 'P-1', itemId: '9001', components: [{ sku: 'SKU-1', quantity: 1 }] }] });
    }
    const published = mode === 'hardShares' ? UNITS : UNITS * WEIGHTS.length;
    await until(async () => (await Promise.all(shops.map(shown))).reduce((a, b) => a + b, 0) === published, () => 'the stock is not published');
    const random = seeded(23);
    let refused = 0;
    let selling = true;
    // Each platform tells what it has sold after a lag of its own, again and again; now and then it wants fewer calls.
    const lags = shops.map(async (shop) => {
      while (selling) {
        await shop.control('PUT', '/faults', { holdPushes: true, nextThrottled: random() < 0.2 ? 1 : 0 });
        await pause((LAG_S[0] + random() * (LAG_S[1] - LAG_S[0])) * 1000 * Math.min(1, seconds / 180));
        await shop.control('PUT', '/faults', {});
        await shop.control('POST', '/flush');
      }
    });
    const started = Date.now();
    const open: { shop: BenchShop; id: string }[] = [];
    for (let n = 0; n < BUYERS; n++) {
      const shop = pick(shops, random());
      const held = random() < PREHOLDS;
      const answer = await shop.control<{ externalId?: string }>('POST', '/orders', { paid: !held, lines: [{ sku: 'P-1', quantity: 1 }], buyerId: `b${n}` });
      if (answer.externalId === undefined) refused++;
      else if (held) open.push({ shop, id: answer.externalId });
      // Who has not paid does so a while later, or thinks better of it.
      if (open.length > 20) await decide(open.shift(), random());
      const ahead = ((n + 1) / BUYERS) * seconds * 1000 - (Date.now() - started);
      if (ahead > 0) await pause(ahead);
    }
    for (const one of open) await decide(one, random());
    selling = false;
    await Promise.all(lags);
    await drained(stack, shops);
    const sold = (await Promise.all(shops.map(soldUnits))).reduce((a, b) => a + b, 0);
    const oversold = Math.max(0, sold - UNITS);
    return {
      oversoldPer100k: Math.round((oversold / sold) * 100_000), lostSales: Math.min(refused, Math.max(0, UNITS - sold)), sold, oversold,
      mostOversold: mode === 'hardShares' ? 0 : Math.ceil((BUYERS / seconds) * LAG_S[1] * Math.min(1, seconds / 180)),
    };
  } finally {
    for (const shop of shops) await shop.process.stop();
    await stack.stop();
  }
}

/** Units moved aside for a shop, of which it alone is told. */
async function share(stack: Stack, shop: BenchShop, units: number): Promise<void> {
  await ask(stack, 'PUT', `/v1/allotments/${shop.code}`, { name: shop.code, kind: 'channel', channel: shop.code, overflow: 'never' });
  await ask(stack, 'POST', `/v1/allotments/${shop.code}/moves`, { reference: 'share', lines: [{ sku: 'SKU-1', location: 'L-1', units }] });
}

function pick(shops: readonly BenchShop[], at: number): BenchShop {
  let sum = 0;
  const index = WEIGHTS.findIndex((w) => (sum += w) > at);
  return shops[index < 0 ? shops.length - 1 : index] as BenchShop;
}

async function decide(one: { shop: BenchShop; id: string } | undefined, at: number): Promise<void> {
  if (one) await one.shop.control('POST', `/orders/${one.id}/${at < 0.75 ? 'pay' : 'cancel'}`, {});
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });
const shown = async (shop: BenchShop): Promise<number> => (await shop.control<{ items: { stock: number }[] }>('GET', '/state')).items.reduce((sum, i) => sum + i.stock, 0);
const soldUnits = async (shop: BenchShop): Promise<number> => (await shop.control<{ status: string; lines: { quantity: number }[] }[]>('GET', '/orders')).filter((o) => o.status !== 'cancelled').reduce((sum, o) => sum + o.lines.reduce((n, l) => n + l.quantity, 0), 0);

async function until(done: () => Promise<boolean>, problem: () => string): Promise<void> {
  const end = Date.now() + 300_000;
  while (!await done()) {
    if (Date.now() > end) throw new Error(problem());
    await pause(200);
  }
}

/** Everything that was sold there is with us. */
async function drained({ pool }: Stack, shops: readonly BenchShop[]): Promise<void> {
  for (const shop of shops) await shop.control('POST', '/flush');
  let state = '';
  await until(async () => {
    const open = (await Promise.all(shops.map((s) => s.control<{ open: number }>('GET', '/pushes')))).reduce((sum, p) => sum + p.open, 0);
    const { rows } = await pool.query<{ n: number; error: string | null }>('select count(*)::int n, left(error, 90) error, max(attempts) attempts, round(extract(epoch from max(due_at) - now())) due from channel_hints where done_at is null group by 2');
    state = `${open} pushes open, hints ${JSON.stringify(rows)}`;
    return open === 0 && rows.length === 0;
  }, () => `platform orders are not all in: ${state}`);
}
