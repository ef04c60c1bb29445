import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { requestRefund } from '../../../db/orders/refund-request.ts';
import { cancelOrder } from '../../../db/orders/cancel-order.ts';
import { createPool } from '../../../db/pool.ts';
import { decodeId } from '../../../domain/ids.ts';
import { postgresUrl } from '../../support/databases.ts';
import { World } from '../../support/world.ts';

/** Outside ids (`ord_…`) of the orders by what has become of them. */
export type SeededOrders = { captured: string; unpaid: string; routed: string; shipped: string; delivered: string; short: string; refunded: string; cancelled: string };
export type Clone = { url: string; pool: pg.Pool; drop(): Promise<void> };

/** A database with orders in many states, made by the real commands, of which every test takes a copy. */
export class Seeded {
  readonly world: World;
  readonly orders: SeededOrders;

  private constructor(world: World, orders: SeededOrders) {
    this.world = world;
    this.orders = orders;
  }

  static async create(): Promise<Seeded> {
    const world = await World.create();
    const { writer, pool } = world.store;
    const steps = world.activities(null);
    const uuid = (id: string): string => decodeId('ord', id) as string;
    const routed = async (): Promise<string> => {
      const { id } = await world.capture({ discounts: [{ bearer: 'shop', code: 'TEN', amount: 100 }] });
      await steps.validate({ orderId: id });
      await steps.reserve({ orderId: id });
      await steps.route({ orderId: id });
      return id;
    };
    const packed = async (): Promise<string> => {
      const id = await routed();
      await pool.query(`update fulfillment_orders set status = 'packed', waybill_no = 'W-' || id, released_at = routed_at, accepted_at = routed_at, packed_at = routed_at where order_id = $1`, [uuid(id)]);
      return id;
    };
    const shipped = async (): Promise<string> => {
      const id = await packed();
      for (const f of await world.fulfillments(id)) await world.issue(f);
      return id;
    };
    const orders: SeededOrders = {
      captured: (await world.capture()).id, unpaid: (await world.capture({ payment: { status: 'unpaid' } })).id,
      routed: await routed(), shipped: await shipped(), delivered: await shipped(), short: await packed(), refunded: await packed(), cancelled: (await world.capture()).id,
    };
    for (const f of await world.fulfillments(orders.delivered)) await world.carrier(f.waybillNo as string, 'delivered');
    for (const f of await world.fulfillments(orders.short)) await world.issue({ ...f, lines: f.lines.filter((l) => l.lineNo === 2).map((l) => ({ ...l, quantity: 1 })) });
    await requestRefund(writer, uuid(orders.refunded), 'changed their mind', 'key:test');
    await cancelOrder(writer, uuid(orders.cancelled), 'changed their mind', 'key:test');
    await world.store.close();
    await world.database.pool.end(); // PostgreSQL copies only a database that nobody uses
    return new Seeded(world, orders);
  }

  async clone(): Promise<Clone> {
    const source = new URL(this.world.database.url);
    const name = `t_${randomBytes(6).toString('hex')}`;
    await administer(`create database ${name} template ${source.pathname.slice(1)} strategy file_copy`);
    source.pathname = name;
    const pool = createPool(source.href, 2);
    return {
      url: source.href, pool,
      async drop() {
        await pool.end();
        await administer(`drop database ${name} with (force)`);
      },
    };
  }

  drop(): Promise<void> { return this.world.database.drop(); }
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: await postgresUrl() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
