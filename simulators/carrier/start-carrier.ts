import type { AddressInfo } from 'node:net';
import { Caller } from '../shared/caller.ts';
import { FaultInjector, type Faults } from '../shared/faults.ts';
import { Journal } from '../shared/journal.ts';
import { createServer } from '../shared/server.ts';
import { TimerHeap } from '../shared/timer-heap.ts';
import { Depot } from './depot.ts';
import type { Mishaps } from './journey.ts';
import { Pusher } from './pusher.ts';
import { addRoutes } from './routes.ts';
import { WaybillStore } from './store.ts';

export interface CarrierOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Base address of Tributary's API. */
  readonly tributaryUrl: string;
  /** Key for tracking pushes. */
  readonly apiKey?: string | undefined;
  /** `whsec_BASE64`: Tributary signs with it. */
  readonly secret: string;
  readonly carrierCode?: string;
  readonly currency?: string;
  /** Divides every delay and every retry's wait. */
  readonly speed?: number;
  readonly seed?: string;
  readonly stateFile?: string | undefined;
  readonly mishaps?: Partial<Mishaps>;
  /** Pushes in flight at once. */
  readonly concurrency?: number;
  /** Real time without an answer after which a push is repeated. */
  readonly timeoutMs?: number;
}

export interface Simulator {
  readonly url: string;
  /** Stops answering, drops what is in flight, writes the state. */
  close(): Promise<void>;
}

/** Simulated time in which tracking events are gathered into one push, and its shortest real time. */
const WINDOW_MS = 20_000;
const SHORTEST_WINDOW_MS = 25;

/** Starts one carrier. Parcels in `stateFile` travel on. */
export async function startCarrier(options: CarrierOptions): Promise<Simulator> {
  const { speed = 1, seed = '1', carrierCode = 'sim' } = options;
  const heap = new TimerHeap();
  const store = new WaybillStore();
  const faults = new FaultInjector(seed, heap);
  const app = createServer(options.secret);

  const journal = await Journal.open(options.stateFile, (raw) => {
    const record = raw as { k: string; faults?: Faults };
    if (store.replay(record)) return;
    if (record.faults === undefined) throw new Error(`the state file holds a record of unknown kind ${record.k}`);
    faults.replace(record.faults);
  });
  store.writeTo(journal);

  const tributary = new Caller({
    baseUrl: options.tributaryUrl, heap, speed,
    concurrency: options.concurrency ?? 4,
    timeoutMs: options.timeoutMs ?? 10_000,
  });
  const pusher = new Pusher({
    seed, carrierCode, apiKey: options.apiKey, heap, journal, faults, store, tributary,
    windowMs: Math.max(SHORTEST_WINDOW_MS, WINDOW_MS / speed),
  });
  const depot = new Depot({
    seed, speed, heap, faults, store, pusher,
    prefix: carrierCode.toUpperCase().replace(/[^A-Z0-9]/g, ''),
    mishaps: { attemptFailed: 0, exception: 0, lost: 0, ...options.mishaps },
  });
  addRoutes(app, {
    carrierCode, currency: options.currency ?? 'CNY', store, depot, pusher, journal, faults, tributary,
  });

  await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
  depot.resume();

  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    async close() {
      heap.close();
      tributary.close();
      await app.close();
      await journal.close();
    },
  };
}
