import { expect, test } from 'vitest';
import { decodeId } from '../../../domain/ids.ts';
import { openStore } from '../../../db/store.ts';
import { validateOrder } from '../../../db/orders/validate-order.ts';
import { VAULT_KEY, World } from '../../support/world.ts';

test('more steps at once than connections do not lock each other out', async () => {
  const world = await World.create({ stock: 1000 });
  const ids = (await Promise.all(Array.from({ length: 30 }, () => world.capture()))).map((a) => decodeId('ord', a.id) as string);
  const narrow = await openStore({ url: world.database.url, vaultKey: VAULT_KEY, poolSize: 2 });
  await Promise.all(ids.map((id) => validateOrder(narrow.writer, narrow.network, narrow.vault, id)));
  const { rows } = await world.store.pool.query<{ n: number }>('select count(*) n from orders where validated_at is not null');
  expect(rows[0]?.n).toBe(30);
  await narrow.close();
  await world.close();
});
