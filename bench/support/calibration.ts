import { createHash } from 'node:crypto';
import pg from 'pg';

/**
 * A fixed loop of Node and PostgreSQL work, operations per second: with it figures of different machines and hours can be compared.
 * Node: hash and JSON of a small order. PostgreSQL: an insert and a read of 100 rows.
 */
export async function calibrate(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('create temporary table calibration (id int, body text)');
  const started = performance.now();
  let operations = 0;
  while (performance.now() - started < 2_000) {
    const body = JSON.stringify({ id: operations, lines: [{ sku: 'SKU-1', quantity: 1 }, { sku: 'SKU-2', quantity: 2 }] });
    for (let i = 0; i < 20; i++) createHash('sha256').update(body).update(String(i)).digest('hex');
    JSON.parse(body);
    await client.query('insert into calibration select i, $1 from generate_series(1, 100) i', [body]);
    await client.query('select count(*) from calibration where id < 50');
    await client.query('truncate calibration');
    operations++;
  }
  const perSecond = operations / ((performance.now() - started) / 1000);
  await client.end();
  return Math.round(perSecond);
}
