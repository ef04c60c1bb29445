import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureLevels, LedgerError, lockLevels, postMovements, type Leg } from '../../db/ledger.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => { world = await World.create({ skus: 8, stock: 0 }); });
afterAll(async () => { await world.close(); });

let lots = 0;
/** Fresh holders of SKU 1 at the first location, each of a lot of its own. */
async function levels(count: number): Promise<number[]> {
  const { rows } = await world.store.pool.query<{ id: number; sku: number }>(
    `insert into lots (sku_id, code) select s.id, 'lot-' || ($1::int + i) from skus s, generate_series(1, $2::int) i where s.code = 'SKU-1' returning id, sku_id sku`, [lots, count]);
  lots += count;
  return world.store.writer.change((tx) => ensureLevels(tx.client, rows.map((r) => ({ locationId: world.locationId('L-1'), skuId: r.sku, condition: 'sellable', lotId: r.id }))));
}

const post = (commandId: string, legs: readonly Leg[], cause = 'test') => world.store.writer.change((tx) => postMovements(tx.client, commandId, cause, null, legs));
const amounts = async (ids: readonly number[]): Promise<[number, number][]> =>
  (await world.store.pool.query<{ h: number; r: number }>('select on_hand h, reserved r from unnest($1::bigint[]) with ordinality t(i, n) join stock_levels v on v.id = t.i order by n', [ids])).rows.map((v) => [v.h, v.r]);
const movements = async (commandId: string) =>
  (await world.store.pool.query('select leg, level_id, d_on_hand, d_reserved, cause from stock_movements where command_id = $1 order by leg', [commandId])).rows as unknown[];

describe('postMovements', () => {
  test('changes the levels and writes a leg for each, in level order, repeated levels summed', async () => {
    const [a, b] = await levels(2) as [number, number];
    const id = uuidv7();
    const posted = await post(id, [{ levelId: b, onHand: 5, reserved: 1 }, { levelId: a, onHand: 7, reserved: 0 }, { levelId: b, onHand: 2, reserved: 2 }]);
    expect(posted?.map(({ id: level, onHand, reserved, sellable }) => ({ level, onHand, reserved, sellable }))).toEqual([
      { level: a, onHand: 7, reserved: 0, sellable: true }, { level: b, onHand: 7, reserved: 3, sellable: true }]);
    expect(await amounts([a, b])).toEqual([[7, 0], [7, 3]]);
    expect(await movements(id)).toEqual([{ leg: 0, level_id: a, d_on_hand: 7, d_reserved: 0, cause: 'test' }, { leg: 1, level_id: b, d_on_hand: 7, d_reserved: 3, cause: 'test' }]);
  });

  test('the same command twice changes nothing the second time', async () => {
    const [a] = await levels(1) as [number];
    const id = uuidv7();
    expect(await post(id, [{ levelId: a, onHand: 5, reserved: 0 }])).toHaveLength(1);
    expect(await post(id, [{ levelId: a, onHand: 5, reserved: 0 }])).toBeNull();
    expect(await amounts([a])).toEqual([[5, 0]]);
    expect(await movements(id)).toHaveLength(1);
  });

  test('the same command ten times at once is posted once', async () => {
    const ids = await levels(3);
    const id = uuidv7();
    const results = await Promise.all(Array.from({ length: 10 }, (_, n) => post(id, (n % 2 ? ids : ids.toReversed()).map((levelId) => ({ levelId, onHand: 4, reserved: 3 })))));
    expect(results.filter((r) => r !== null)).toHaveLength(1);
    expect(await amounts(ids)).toEqual([[4, 3], [4, 3], [4, 3]]);
    expect(await movements(id)).toHaveLength(3);
  });

  test.each([
    ['more reserved than there is', { onHand: 0, reserved: 2 }, 'test would leave 5 reserved of 4 on hand'],
    ['a count below what is reserved', { onHand: -2, reserved: 0 }, 'test would leave 3 reserved of 2 on hand'],
    ['a release of what is not reserved', { onHand: 0, reserved: -4 }, 'test would leave -1 reserved of 4 on hand'],
    ['less than nothing on hand', { onHand: -5, reserved: -3 }, 'test would leave 0 reserved of -1 on hand'],
  ])('%s is refused, and nothing of the command is done', async (_what, leg, message) => {
    const [good, bad] = await levels(2) as [number, number];
    await post(uuidv7(), [{ levelId: good, onHand: 4, reserved: 3 }, { levelId: bad, onHand: 4, reserved: 3 }]);
    const id = uuidv7();
    const failure = await post(id, [{ levelId: good, onHand: 1, reserved: 0 }, { levelId: bad, ...leg }]).then(() => null, (error: unknown) => error);
    expect(failure).toBeInstanceOf(LedgerError);
    expect(failure).toMatchObject({ levelId: bad, message });
    expect(await amounts([good, bad])).toEqual([[4, 3], [4, 3]]);
    expect(await movements(id)).toEqual([]);
    // A refused command may be sent again once it is possible.
    expect(await post(id, [{ levelId: good, onHand: 1, reserved: 0 }])).toHaveLength(1);
  });

  test('a level that is not there is refused; no legs are no command', async () => {
    await expect(post(uuidv7(), [{ levelId: 999_999_999, onHand: 1, reserved: 0 }])).rejects.toMatchObject({ levelId: 999_999_999, message: 'stock level 999999999 does not exist' });
    expect(await post(uuidv7(), [])).toEqual([]);
  });

  test('the table itself refuses what the code would let through', async () => {
    const [a] = await levels(1) as [number];
    await expect(world.store.pool.query('update stock_levels set reserved = 1 where id = $1', [a])).rejects.toMatchObject({ code: '23514', constraint: 'stock_levels_conserved' });
  });

  test('last units at once: 50 reservations of a level with 20', async () => {
    const [a] = await levels(1) as [number];
    await post(uuidv7(), [{ levelId: a, onHand: 20, reserved: 0 }]);
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => post(uuidv7(), [{ levelId: a, onHand: 0, reserved: 1 }])));
    expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(20);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LedgerError);
    expect(await amounts([a])).toEqual([[20, 20]]);
    expect(await world.ledger()).toMatchObject({ drift: 0 });
  });

  test('transfers there and back at once end without a deadlock, with the sum they began with', async () => {
    const ids = await levels(4);
    await post(uuidv7(), ids.map((levelId) => ({ levelId, onHand: 100, reserved: 0 })));
    await Promise.all(Array.from({ length: 60 }, (_, n) => post(uuidv7(), [{ levelId: ids[n % 4]!, onHand: -1, reserved: 0 }, { levelId: ids[(n + 1 + (n % 3)) % 4]!, onHand: 1, reserved: 0 }])));
    expect((await amounts(ids)).reduce((sum, [h]) => sum + h, 0)).toBe(400);
    expect(await world.ledger()).toMatchObject({ drift: 0 });
  });
});

describe('ensureLevels', () => {
  test('at once, with keys in any order, makes each holder once and answers in the order asked', async () => {
    const skuIds = (await world.store.pool.query<{ id: number }>('select id from skus order by id')).rows.map((r) => r.id);
    const keys = skuIds.flatMap((skuId) => ['damaged', 'quarantine', 'display'].map((condition) => ({ locationId: world.locationId('L-2'), skuId, condition, lotId: 0 })));
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => {
      const asked = n % 2 ? keys : keys.toReversed();
      return world.store.writer.change((tx) => ensureLevels(tx.client, asked)).then((ids) => (n % 2 ? ids : ids.toReversed()));
    }));
    for (const ids of answers) expect(ids).toEqual(answers[0]);
    expect(new Set(answers[0]).size).toBe(keys.length);
    const found = await world.store.writer.change((tx) => ensureLevels(tx.client, [keys[0]!, keys[5]!, keys[0]!]));
    expect(found).toEqual([answers[0]![0], answers[0]![5], answers[0]![0]]);
    expect((await amounts(answers[0]!)).every(([h, r]) => h === 0 && r === 0)).toBe(true);
  });

  test('tells the holders of allotments and supplies apart; only what is in good condition may be sold', async () => {
    await world.store.pool.query(`insert into allotments (id, kind, name, code, parent_id) values (3, 'campaign', 'share', 'share', 0)`);
    await world.store.pool.query(`insert into supplies (id, kind, reference) values (3, 'transfer', 'T-3')`);
    const skuId = (await world.one<{ id: number }>(`select id from skus where code = 'SKU-2'`)).id;
    const at = { locationId: world.locationId('L-3'), skuId, condition: 'sellable', lotId: 0 };
    const ids = await world.store.writer.change((tx) => ensureLevels(tx.client, [at, { ...at, allotmentId: 3 }, { ...at, supplyId: 3 }, { ...at, condition: 'damaged' }]));
    expect(new Set(ids).size).toBe(4);
    const locked = await world.store.writer.change((tx) => lockLevels(tx.client, ids));
    expect(ids.map((id) => locked.get(id)?.sellable)).toEqual([true, true, true, false]);
  });
});

type Step = { do: 'receive' | 'reserve' | 'release' | 'issue'; level: number; quantity: number; again: boolean };

test('any sequence of receipts, reservations, releases and issues agrees with plain arithmetic', async () => {
  const seed = Number(process.env['LEDGER_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`ledger model: LEDGER_SEED=${seed}\n`);
  const step: fc.Arbitrary<Step> = fc.record({
    do: fc.constantFrom('receive', 'reserve', 'release', 'issue'), level: fc.nat(2), quantity: fc.integer({ min: 1, max: 6 }), again: fc.boolean(),
  });
  const legOf = { receive: [1, 0], reserve: [0, 1], release: [0, -1], issue: [-1, -1] } as const;
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const ids = await levels(3);
    const model: [number, number][] = [[0, 0], [0, 0], [0, 0]];
    for (const { do: what, level, quantity, again } of steps) {
      const [h, r] = model[level]!;
      const [dh, dr] = [legOf[what][0] * quantity, legOf[what][1] * quantity];
      const possible = r + dr >= 0 && r + dr <= h + dh;
      const id = uuidv7();
      const legs = [{ levelId: ids[level]!, onHand: dh, reserved: dr }];
      const done = await post(id, legs, what).then(() => true, (error: unknown) => {
        if (error instanceof LedgerError) return false;
        throw error;
      });
      expect(done).toBe(possible);
      if (done && again) expect(await post(id, legs, what)).toBeNull();
      if (done) model[level] = [h + dh, r + dr];
    }
    expect(await amounts(ids)).toEqual(model);
    expect(await world.ledger()).toMatchObject({ drift: 0 });
  }), { seed, numRuns: 200 });
});
