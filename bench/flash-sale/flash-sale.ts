import { setTimeout as delay } from 'node:timers/promises';
import { runAudit } from '../../db/audit/run-audit.ts';
import { startApi, type Started } from '../support/api.ts';
import { startGround } from '../support/ground.ts';
import { Connection, post } from '../support/http-load.ts';
import { quantile } from '../support/random.ts';

const STOCK = 1_000;
const CONNECTIONS = 200;
const SKU = 'SKU-1';

/**
 * One SKU of 1,000 units spread over 17 locations, 10,000 buyers of one unit each on 200 connections and two API processes; one of the two is killed (-9) twice
 * in the middle and started again. A buyer whose answer is lost sends the same order again to whichever process answers.
 */
export async function flashSale(args: string[]): Promise<Record<string, unknown>> {
  const buyers = Number(args[0] ?? 10_000);
  const ground = await startGround({ locations: 17, skus: 1, stock: 0 });
  const apis: Started[] = [];
  try {
    await ground.pool.query('update stock_levels set on_hand = $1 / 17 + (case when location_id <= $1 % 17 then 1 else 0 end)', [STOCK]);
    await ground.pool.query('truncate stock_movements');
    await ground.pool.query(`insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause) select uuidv7(), 0, id, on_hand, 0, 'receipt' from stock_levels`);
    for (let i = 0; i < 2; i++) apis.push(await startApi(ground.env));
    const statuses = new Map<number, number>();
    const latencies: number[] = [];
    const sold = new Set<string>();
    let next = 0;
    let answered = 0;
    let lost = 0;
    let kills = 0;
    const started = performance.now();
    const buyer = async (connection: Connection): Promise<void> => {
      while (next < buyers) {
        const n = next++;
        const city = ground.cities[n % ground.cities.length] as string;
        const request = post('/v1/orders', ground.key, {
          channel: 'own', externalId: `F-${n}`, currency: 'CNY', payment: { status: 'paid' },
          shipTo: { name: `Buyer ${n}`, phone: `100${String(n).padStart(8, '0')}`, country: 'CN', province: city, city, street: `${n} Example Road` },
          lines: [{ sku: SKU, quantity: 1, unitPrice: 9900 }],
        });
        for (;;) {
          try {
            const reply = await connection.send(request);
            if (reply.status === 503) {
              await delay(200); // starting or saturated: the same order again
              continue;
            }
            statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
            latencies.push(reply.ms);
            if (reply.status < 300) sold.add((JSON.parse(reply.body) as { externalId: string }).externalId);
            break;
          } catch {
            lost++; // killed under our hands: nobody knows whether it was captured
            await delay(50);
          }
        }
        answered++;
      }
      connection.close();
    };
    const killer = (async (): Promise<void> => {
      for (const share of [0.04, 0.5]) {
        while (answered < buyers * share) await delay(2);
        const victim = apis[0] as Started;
        victim.process.kill('SIGKILL');
        kills++;
        apis[0] = await startApi(ground.env);
      }
    })();
    // The survivor takes everybody while the other one is away.
    await Promise.all([killer, ...Array.from({ length: CONNECTIONS }, (_, c) => buyer(new Connection(() => (apis[c % 2]?.process.exitCode === null && apis[c % 2]?.process.signalCode === null ? apis[c % 2] : apis[1])?.port ?? 0)))]);
    const seconds = (performance.now() - started) / 1000;
    for (const api of apis) await api.stop();
    const { rows: [stock] } = await ground.pool.query<{ reserved: number; free: number; orders: number; reservations: number; stranded: number }>(
      `select (select sum(reserved)::int from stock_levels) reserved, (select sum(on_hand - reserved)::int from stock_levels) free, (select count(*)::int from orders) orders,
         (select sum(quantity)::int from reservations where status in ('held', 'confirmed')) reservations,
         (select count(*)::int from reservations r where not exists (select from orders o where o.id = r.order_id)) + (select count(*)::int from orders o where not exists (select from reservations r where r.order_id = o.id)) stranded`);
    const audit = await runAudit(ground.pool, { leaveOut: ['captured-forgotten'] });
    latencies.sort((a, b) => a - b);
    return {
      bench: 'flash-sale', buyers, connections: CONNECTIONS, kills, answersLost: lost, sold: stock?.orders, oversold: Math.max(0, (stock?.reserved ?? 0) - STOCK) + Math.max(0, sold.size - STOCK),
      stranded: (stock?.stranded ?? 0) + Math.abs((stock?.reserved ?? 0) - (stock?.reservations ?? 0)), unsold: stock?.free, told: sold.size, statuses: Object.fromEntries(statuses),
      p50Ms: Math.round(quantile(latencies, 0.5)), p99Ms: Math.round(quantile(latencies, 0.99)), seconds: Math.round(seconds * 10) / 10, auditViolations: audit.violations.length, calibration: ground.calibration,
    };
  } finally {
    for (const api of apis) await api.stop();
    await ground.stop();
  }
}
