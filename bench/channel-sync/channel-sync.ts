import { quantile, seeded } from '../support/random.ts';
import { ask, connectShop, type BenchPlatform, type BenchShop } from '../support/shops.ts';
import { startStack, type Stack } from '../support/stack.ts';

const CHANNELS = 10;
const SKUS = 200;
/** SKUs of which little is left: a change of one of them is urgent. */
const SCARCE = 20;
const [STOCK, SCARCE_UNITS] = [500, 5];
const PLATFORMS: readonly BenchPlatform[] = ['generic', 'douyin', 'shopify'];

/**
 * Stock changes on ten shops of three platforms, each at its platform's own rate limits: every change of a SKU concerns its listing on each shop. Argument: listing changes (50,000). `lagP99Ms`: from the ledger's
 * commit to the platform's acknowledgement, of urgent ones; `coalesced`: the share of changes that needed no call of their own; `drift`: units by which the platforms' figures differ from ours at the end.
 */
export async function channelSync(args: string[]): Promise<Record<string, unknown>> {
  const wanted = Number(args[0] ?? 50_000);
  const stack = await startStack({ locations: 1, skus: SKUS, stock: STOCK, speed: 1_000 });
  const shops: BenchShop[] = [];
  try {
    await stack.startWorker();
    const items = Array.from({ length: SKUS }, (_, i) => ({ sku: `P-${i + 1}`, itemId: `900${i + 1}`, merchantCode: `SKU-${i + 1}`, title: `Item ${i + 1}`, price: 1000, stock: 0 }));
    for (let i = 0; i < CHANNELS; i++) {
      const shop = await connectShop(stack, { code: `sync-${i + 1}`, platform: PLATFORMS[i % PLATFORMS.length] as BenchPlatform, items });
      shops.push(shop);
      await ask(stack, 'POST', `/v1/channels/${shop.code}/listings`, { mappings: items.map((p) => ({ platformSku: p.sku, itemId: p.itemId, components: [{ sku: p.merchantCode, quantity: 1 }] })) });
    }
    for (let i = 0; i < SCARCE; i++) await adjust(stack, `SKU-${i + 1}`, SCARCE_UNITS - STOCK, `scarce-${i}`);
    await settled(stack);
    await stack.pool.query('delete from listing_tellings');
    const random = seeded(11);
    const started = performance.now();
    const rounds = Math.ceil(wanted / CHANNELS);
    const left = new Map<string, number>();
    for (let n = 0; n < rounds; n++) {
      // One change in fifty concerns something of which little is left; the rest comes in a rush on everything else.
      const scarce = n % 50 === 0;
      const sku = scarce ? `SKU-${1 + Math.floor(random() * SCARCE)}` : `SKU-${SCARCE + 1 + Math.floor(random() * (SKUS - SCARCE))}`;
      const there = left.get(sku) ?? (scarce ? SCARCE_UNITS : STOCK);
      const units = scarce ? 1 : 1 + Math.floor(random() * 3);
      const delta = (random() < 0.5 && there >= units) || (scarce && there > SCARCE_UNITS) ? -units : units;
      left.set(sku, there + delta);
      await adjust(stack, sku, delta, `change-${n}`);
    }
    const written = (performance.now() - started) / 1000;
    await settled(stack);
    const seconds = (performance.now() - started) / 1000;
    const { rows: tellings } = await stack.pool.query<{ ms: number; urgent: boolean; folded: number }>('select extract(epoch from told_at - since) * 1000 ms, urgent, folded from listing_tellings');
    const { rows: by } = await stack.pool.query(`select c.code, t.urgent, count(*)::int n, round(percentile_cont(0.5) within group (order by extract(epoch from told_at - since))::numeric, 2)::float8 p50, round(percentile_cont(0.99) within group (order by extract(epoch from told_at - since))::numeric, 2)::float8 p99
      from listing_tellings t join channels c on c.id = t.channel_id group by 1, 2 order by 1, 2`);
    for (const row of by as { code: string; urgent: boolean; n: number; p50: number; p99: number }[]) console.log(`${row.code} (${shops.find((x) => x.code === row.code)?.platform ?? ''}) ${row.urgent ? 'urgent' : 'other'}: ${row.n} told, ${row.p50} s, p99 ${row.p99} s`);
    const lags = (urgent: boolean): number[] => tellings.filter((t) => t.urgent === urgent).map((t) => Number(t.ms)).sort((a, b) => a - b);
    const [urgent, other] = [lags(true), lags(false)];
    const changes = rounds * CHANNELS;
    return {
      bench: 'channel-sync', changes, channels: CHANNELS, lagP50Ms: Math.round(quantile(urgent, 0.5)), lagP99Ms: Math.round(quantile(urgent, 0.99)), urgent: urgent.length, otherLagP99Ms: Math.round(quantile(other, 0.99)),
      told: tellings.length, coalesced: Math.round((1 - tellings.length / changes) * 1000) / 1000, drift: await drift(stack, shops), writtenS: Math.round(written), seconds: Math.round(seconds),
    };
  } finally {
    for (const shop of shops) await shop.process.stop();
    await stack.stop();
  }
}

async function adjust(stack: Stack, sku: string, delta: number, reference: string): Promise<void> {
  await ask(stack, 'POST', '/v1/stock/adjustments', { reference, location: 'L-1', reason: 'benchmark', lines: [{ sku, delta }] });
}

/** Until nothing waits to be told and no change is under way. */
async function settled({ pool }: Stack): Promise<void> {
  let last = '';
  let since = Date.now();
  let quiet = 0;
  while (quiet < 5) {
    const { rows: [row] } = await pool.query<{ text: string; open: number }>(
      `select count(*) || ' ' || coalesce(max(stamp), 0) "text", (count(*) + (select count(*) from listings where pending is not null))::int open from listing_changes`);
    quiet = row?.open === 0 ? quiet + 1 : 0;
    if (row?.text !== last) {
      last = row?.text ?? '';
      since = Date.now();
    } else if (quiet === 0 && Date.now() - since > 120_000) throw new Error(`stuck with ${row?.open ?? -1} listings to be told`);
    await new Promise((resolve) => { setTimeout(resolve, 200); });
  }
}

/** Units by which what platforms show differs from what is available here. */
async function drift(stack: Stack, shops: readonly BenchShop[]): Promise<number> {
  const { rows } = await stack.pool.query<{ code: string; free: number }>(
    `select k.code, sum(v.on_hand - v.reserved)::int free from stock_levels v join skus k on k.id = v.sku_id where v.condition = 'sellable' and v.supply_id = 0 group by 1`);
  const ours = new Map(rows.map((r) => [r.code, r.free]));
  let off = 0;
  for (const shop of shops) {
    const { items } = await shop.control<{ items: { merchantCode: string; stock: number }[] }>('GET', '/state');
    const mine = items.map((item) => item.stock - (ours.get(item.merchantCode) ?? 0)).filter((n) => n !== 0);
    if (mine.length > 0) console.log(`${shop.code} (${shop.platform}): ${mine.length} of ${items.length} items differ: ${mine.slice(0, 8).join(', ')}`);
    off += mine.reduce((sum, n) => sum + Math.abs(n), 0);
  }
  return off;
}

