import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeId } from '../../../domain/ids.ts';
import { advance } from '../../support/advance.ts';
import { World } from '../../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.create({ locations: 2, skus: 2, stock: 50 });
  await world.store.pool.query(`insert into places (country, province, city, lat, lon) values ('US', 'California', 'Los Angeles', 34, -118)`);
  await world.store.pool.query(`insert into carrier_rates (carrier, zone, first_weight_g, first_cost, step_g, step_cost, transit_days) values ('sim', 'international', 1000, 5000, 500, 300, 7)`);
  await world.store.network.reload();
});
afterAll(async () => {
  expect(await world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  await world.close();
});

async function to(country: string, province: string, city: string): Promise<{ status: string; detail: string | null; warning: string | null; sent: number }> {
  const { id } = await world.capture({ shipTo: { name: 'Test Person', phone: '10000000001', country, province, city, street: '1 Example Road' }, lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }] });
  await advance(world, id);
  const row = await world.one<{ detail: string | null; warning: string | null }>(`select (select detail from order_holds where order_id = $1) detail, (select data ->> 'warning' from order_events where order_id = $1 and type = 'order.validated') warning`, decodeId('ord', id));
  return { status: await world.status(id), ...row, sent: (await world.fulfillments(id)).length };
}
const GUESS = 'is not on file: zone, date and distance are a guess';

test('one letter off a province on file is held in any country; what may be right goes on, and says that it was guessed', async () => {
  expect(await to('US', 'Californa', 'Los Angeles')).toEqual({ status: 'on_hold', detail: 'province Californa is not known in US (California?): change the address, or release the hold', warning: null, sent: 0 });
  expect(await to('US', 'California', 'Los Angeles')).toEqual({ status: 'in_fulfillment', detail: null, warning: null, sent: 1 });
  expect(await to('US', 'Texas', 'Austin')).toEqual({ status: 'in_fulfillment', detail: null, warning: `its province ${GUESS}`, sent: 1 });
  expect(await to('CN', 'Shanghai', 'Shanghia')).toEqual({ status: 'in_fulfillment', detail: null, warning: `its city ${GUESS}`, sent: 1 });
  expect(await to('FR', 'Bretagne', 'Brest')).toEqual({ status: 'in_fulfillment', detail: null, warning: null, sent: 1 });
});

test('who wants it holds what is not on file by a rule', async () => {
  await world.store.pool.query(`insert into audit_rules (name, kind, action, priority, params) values ('off file', 'address', 'hold', 20, '{"unlisted": true}')`);
  await world.store.network.reload();
  expect(await to('CN', 'Shanghai', 'Shanghia')).toEqual({ status: 'on_hold', detail: `its city ${GUESS}`, warning: null, sent: 0 });
  expect(await to('CN', 'Shanghai', 'Shanghai City')).toMatchObject({ status: 'in_fulfillment', detail: null });
});
