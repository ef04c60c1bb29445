import { quantile, seeded } from '../support/random.ts';
import { connectShop, type BenchShop } from '../support/shops.ts';
import { startStack, type Stack } from '../support/stack.ts';

const SKUS = 50;
/** Every event is pushed so often, in no sure order. */
const COPIES = 3;
const FAST = { '*': { perSecond: 500, burst: 500 } };
type PushRecord = { tries: number; acknowledged: boolean; at: number };
type PlacedOrder = { id: string; status: string; lines: { quantity: number }[] };

/**
 * Platforms push at us: orders placed, paid, cancelled and readdressed on three simulators (generic, Douyin, Shopify), each event three times and shuffled, forged and truncated pushes between them. Half-way
 * the worker is killed with SIGKILL and another one started. Argument: pushes (20,000). `ackP99Ms`: as the platforms measure it; `lost`: orders of theirs that we have not, or not as they stand; `duplicated`: effects that happened twice.
 */
export async function webhooks(args: string[]): Promise<Record<string, unknown>> {
  const wanted = Number(args[0] ?? 20_000);
  const stack = await startStack({ locations: 4, skus: SKUS, stock: 1_000_000, speed: 500_000, acceptTimeoutS: 86_400 });
  const shops: BenchShop[] = [];
  try {
    let worker = await stack.startWorker();
    const items = Array.from({ length: SKUS }, (_, i) => ({ sku: `P-${i + 1}`, itemId: `900${i + 1}`, merchantCode: `SKU-${i + 1}`, title: `Item ${i + 1}`, price: 1000, stock: 1_000_000 }));
    for (const platform of ['generic', 'douyin', 'shopify'] as const) shops.push(await connectShop(stack, { code: `hook-${platform}`, platform, items, limits: FAST, speed: 100 }));
    for (const shop of shops) await shop.control('PUT', '/faults', { copies: COPIES, shuffle: true });
    const random = seeded(7);
    const started = performance.now();
    let killed = false;
    let pushed = 0;
    for (let round = 0; pushed < wanted; round++) {
      await Promise.all(shops.map((shop) => burst(shop, round, random)));
      pushed = (await Promise.all(shops.map(pushesOf))).reduce((sum, records) => sum + records.length, 0);
      if (!killed && pushed >= wanted / 2) {
        killed = true;
        console.log(`killed the worker after ${pushed} pushes`);
        worker.process.kill('SIGKILL');
        worker = await stack.startWorker();
      }
    }
    for (const shop of shops) {
      await shop.control('POST', '/flush');
      while ((await shop.control<{ open: number }>('GET', '/pushes')).open > 0) await pause(200);
    }
    const seconds = (performance.now() - started) / 1000;
    const records = (await Promise.all(shops.map(pushesOf))).flat();
    const acks = records.map((r) => r.at).sort((a, b) => a - b);
    console.log(`${records.length} pushes in ${seconds.toFixed(0)} s: acknowledged within ${quantile(acks, 0.5).toFixed(0)} ms, 99 % within ${quantile(acks, 0.99).toFixed(0)} ms; now what they lead to`);
    await drained(stack);
    const { lost, orders } = await compare(stack, shops);
    return {
      bench: 'webhooks', pushes: records.length, orders, ackP50Ms: Math.round(quantile(acks, 0.5)), ackP99Ms: Math.round(quantile(acks, 0.99)), pushesPerSecond: Math.round(records.length / seconds),
      notAcknowledged: records.filter((r) => !r.acknowledged).length, lost, duplicated: await duplicates(stack), workerKilled: killed ? 1 : 0, drainedS: Math.round((performance.now() - started) / 1000 - seconds),
    };
  } finally {
    for (const shop of shops) await shop.process.stop();
    await stack.stop();
  }
}

/** Some orders at once, and what their buyers change their minds about; now and then a push that must not be believed. */
async function burst(shop: BenchShop, round: number, random: () => number): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const paid = random() < 0.5;
    const { externalId } = await shop.control<{ externalId: string }>('POST', '/orders', { paid, lines: [{ sku: `P-${1 + Math.floor(random() * SKUS)}`, quantity: 1 + Math.floor(random() * 3) }], buyerId: `b${round}-${i}` });
    if (!paid && random() < 0.2) await shop.control('POST', `/orders/${externalId}/cancel`, {});
    else if (!paid) await shop.control('POST', `/orders/${externalId}/pay`, {});
  }
  // Stored nowhere; the platform's own answer says no.
  if (round % 10 === 5) await shop.control('POST', '/push-bad', { how: round % 20 === 5 ? 'forged' : 'truncated' });
}

const pushesOf = async (shop: BenchShop): Promise<PushRecord[]> => (await shop.control<{ records: PushRecord[] }>('GET', '/pushes')).records;
const pause = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Until no hint is left to be followed. */
async function drained({ pool }: Stack): Promise<void> {
  let last = -1;
  let since = Date.now();
  for (;;) {
    const { rows: [row] } = await pool.query<{ n: number }>('select count(*)::int n from channel_hints where done_at is null');
    const open = row?.n ?? 0;
    if (open === 0) return;
    if (open !== last) {
      last = open;
      since = Date.now();
      const { rows } = await pool.query('select attempts, left(error, 90) error, count(*)::int n, round(extract(epoch from min(due_at) - now())) due from channel_hints where done_at is null group by 1, 2 order by 3 desc limit 4');
      console.log(`hints open: ${open} ${JSON.stringify(rows)}`);
    } else if (Date.now() - since > 120_000) throw new Error(`stuck with ${open} hints`);
    await pause(500);
  }
}

/** Orders of the platforms that we have not, or that were cancelled there and not here. */
async function compare({ pool }: Stack, shops: readonly BenchShop[]): Promise<{ lost: number; orders: number }> {
  let lost = 0;
  let orders = 0;
  for (const shop of shops) {
    const theirs = await shop.control<PlacedOrder[]>('GET', '/orders');
    const { rows } = await pool.query<{ id: string; cancelled: boolean; units: number }>(
      `select o.external_id id, o.status = 'cancelled' cancelled, (select sum(quantity)::int from order_lines l where l.order_id = o.id) units from orders o join channels c on c.id = o.channel_id where c.code = $1`, [shop.code]);
    const ours = new Map(rows.map((r) => [r.id.replace(/^.*\//, ''), r]));
    orders += theirs.length;
    for (const order of theirs) {
      const mine = ours.get(order.id);
      const units = order.lines.reduce((sum, l) => sum + l.quantity, 0);
      // Who was cancelled before we heard of them need not be with us at all.
      if (order.status === 'cancelled' ? mine !== undefined && !mine.cancelled : mine?.units !== units) lost++;
    }
  }
  return { lost, orders };
}

/** Effects that happened twice: an order captured, paid or cancelled more than once, or more units set aside or gone than ordered. */
async function duplicates({ pool }: Stack): Promise<number> {
  const { rows: [row] } = await pool.query<{ n: number }>(
    `select ((select count(*) from (select 1 from order_events where type in ('order.captured', 'order.paid', 'order.cancelled') group by order_id, type having count(*) > 1) t)
       + (select count(*) from (select l.order_id, l.line_no from order_lines l join reservations r on r.order_id = l.order_id and r.line_no = l.line_no and r.status in ('held', 'confirmed', 'issued')
           group by l.order_id, l.line_no, l.quantity having sum(r.quantity) > l.quantity) t))::int n`);
  return row?.n ?? -1;
}
