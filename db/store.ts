import type pg from 'pg';
import { CaptureQueue } from './capture/capture-queue.ts';
import { Network } from './network.ts';
import { ensurePartitions } from './partitions.ts';
import { createPool } from './pool.ts';
import { StockProjection } from './projection.ts';
import { StockWriter } from './stock-writer.ts';
import { Vault } from './vault.ts';

/** Everything a process needs of the database, opened once. */
export type Store = { pool: pg.Pool; network: Network; vault: Vault; projection: StockProjection; writer: StockWriter; capture: CaptureQueue; url: string; close(): Promise<void> };
export type StoreOptions = { url: string; vaultKey: Buffer; poolSize?: number; writerBatch?: number; clock?: () => Date; refreshMs?: number };

export async function openStore({ url, vaultKey, poolSize = 10, writerBatch = 200, clock, refreshMs = 500 }: StoreOptions): Promise<Store> {
  const pool = createPool(url, poolSize);
  let network: Network | null = null;
  try {
    await ensurePartitions(pool);
    network = await Network.open(url);
    const projection = new StockProjection(pool);
    await projection.open(refreshMs);
    const vault = new Vault(vaultKey);
    const writer = new StockWriter(pool, projection, clock, network);
    const capture = new CaptureQueue(writer, { network, projection, vault }, writerBatch);
    const opened = network;
    return {
      pool, network, vault, projection, writer, capture, url,
      async close() {
        await capture.close();
        await projection.close();
        await opened.close();
        await pool.end();
      },
    };
  } catch (error) {
    await network?.close();
    await pool.end();
    throw error;
  }
}
