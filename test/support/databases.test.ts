import { expect, it } from 'vitest';
import { createDatabase } from './databases.ts';

it('gives every caller a migrated database of its own', async () => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  try {
    await one.pool.query('CREATE TABLE only_here (id int)');
    const found = (pool: typeof one.pool) => pool.query<{ n: string | null }>("SELECT to_regclass('only_here')::text AS n");
    expect((await found(one.pool)).rows).toEqual([{ n: 'only_here' }]);
    expect((await found(two.pool)).rows).toEqual([{ n: null }]);
    const { rows } = await two.pool.query<{ migrated: boolean }>("SELECT count(*) > 0 AS migrated FROM pg_tables WHERE schemaname = 'public'");
    expect(rows).toEqual([{ migrated: true }]);
  } finally {
    await one.drop();
    await two.drop();
  }
});
