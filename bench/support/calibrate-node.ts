import { createHash } from 'node:crypto';

/** The Node half of `calibrate`, for benchmarks without a database: hashes and JSON of a small order, operations per second. */
export function calibrateNode(): number {
  const started = performance.now();
  let operations = 0;
  while (performance.now() - started < 2_000) {
    const body = JSON.stringify({ id: operations, lines: [{ sku: 'SKU-1', quantity: 1 }, { sku: 'SKU-2', quantity: 2 }] });
    for (let i = 0; i < 20; i++) createHash('sha256').update(body).update(String(i)).digest('hex');
    JSON.parse(body);
    operations++;
  }
  return Math.round(operations / ((performance.now() - started) / 1000));
}
