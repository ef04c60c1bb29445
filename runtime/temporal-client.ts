import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';

export interface TemporalClient {
  readonly client: Client;
  readonly connection: Connection;
}

/** Temporal did not answer in time. */
export class TemporalUnreachable extends Error {
  constructor(address: string, timeoutMs: number, cause: unknown) {
    super(`Temporal does not answer at ${address} (tried for ${timeoutMs / 1000} s)`, { cause });
    this.name = 'TemporalUnreachable';
  }
}

/**
 * Opens a connection, trying again until `timeoutMs` has passed: at boot Temporal may still be starting.
 * @param address host:port of the frontend
 * @throws TemporalUnreachable
 */
export async function connectTemporal(address: string, timeoutMs = 30_000): Promise<Connection> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await Connection.connect({ address, connectTimeout: Math.max(1000, Math.min(5000, timeoutMs)) });
    } catch (error) {
      if (performance.now() >= deadline) throw new TemporalUnreachable(address, timeoutMs, error);
      await delay(100);
    }
  }
}

/** A client of one namespace; the caller closes `connection`. */
export async function createTemporalClient(address: string, namespace: string, timeoutMs?: number): Promise<TemporalClient> {
  const connection = await connectTemporal(address, timeoutMs);
  return { connection, client: new Client({ connection, namespace }) };
}
