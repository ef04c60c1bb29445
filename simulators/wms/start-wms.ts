import type { AddressInfo } from 'node:net';
import { Caller } from '../shared/caller.ts';
import { FaultInjector, type Faults } from '../shared/faults.ts';
import { Journal } from '../shared/journal.ts';
import { createServer } from '../shared/server.ts';
import { TimerHeap } from '../shared/timer-heap.ts';
import { Location } from './location.ts';
import { addRoutes } from './routes.ts';
import { Decisions, type Rule } from './rules.ts';
import { StockBook, type Shelves } from './stock.ts';
import { OrderStore } from './store.ts';

export interface WmsOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Base address of Tributary's API. */
  readonly tributaryUrl: string;
  /** Key for callbacks of every location that has none in `apiKeys`. */
  readonly apiKey?: string | undefined;
  /** Location code → key. */
  readonly apiKeys?: Readonly<Record<string, string>>;
  /** `whsec_BASE64`: Tributary signs with it. */
  readonly secret: string;
  /** Where parcels are handed over, for carriers that `carrierUrls` doesn't name; absent: nobody is told. */
  readonly carrierUrl?: string | undefined;
  /** Carrier code → base address. */
  readonly carrierUrls?: Readonly<Record<string, string>>;
  /** Divides every delay and every retry's wait. */
  readonly speed?: number;
  readonly seed?: string;
  readonly stateFile?: string | undefined;
  /** Share of orders rejected, respectively short-picked, without any rule. */
  readonly rejectRate?: number;
  readonly shortRate?: number;
  /** Callbacks in flight at once. */
  readonly concurrency?: number;
  /** Real time without an answer after which a callback is repeated. */
  readonly timeoutMs?: number;
}

export interface Simulator {
  readonly url: string;
  /** Stops answering, drops what is in flight, writes the state. */
  close(): Promise<void>;
}

/** Starts one server that plays all locations. Unfinished work in `stateFile` goes on. */
export async function startWms(options: WmsOptions): Promise<Simulator> {
  const { speed = 1, seed = '1' } = options;
  const heap = new TimerHeap();
  const stock = new StockBook();
  const store = new OrderStore((order) => stock.left(order));
  const faults = new FaultInjector(seed, heap);
  const decisions = new Decisions(seed, options.rejectRate ?? 0, options.shortRate ?? 0);
  const app = createServer(options.secret);

  const journal = await Journal.open(options.stateFile, (raw) => {
    const record = raw as { k: string; faults?: Faults; rules?: Rule[]; stock?: Record<string, Shelves> };
    if (store.replay(record)) return;
    if (record.faults !== undefined) faults.replace(record.faults);
    else if (record.rules !== undefined) decisions.replace(record.rules);
    else if (record.stock !== undefined) stock.put(record.stock);
    else throw new Error(`the state file holds a record of unknown kind ${record.k}`);
  });
  store.writeTo(journal);

  const callers = new Map<string, Caller>();
  const callerFor = (baseUrl: string): Caller => {
    let caller = callers.get(baseUrl);
    if (caller === undefined) {
      caller = new Caller({
        baseUrl, heap, speed,
        concurrency: options.concurrency ?? 16,
        timeoutMs: options.timeoutMs ?? 10_000,
      });
      callers.set(baseUrl, caller);
    }
    return caller;
  };
  const carrierUrl = (code: string | undefined): string | undefined =>
    (code === undefined ? undefined : options.carrierUrls?.[code]) ?? options.carrierUrl;

  const location = new Location({
    seed, speed, heap, store, journal, faults, decisions,
    tributary: callerFor(options.tributaryUrl),
    apiKey: (locationCode) => options.apiKeys?.[locationCode] ?? options.apiKey,
    carrier: (code) => {
      const url = carrierUrl(code);
      return url === undefined ? undefined : callerFor(url);
    },
  });
  addRoutes(app, { seed, store, stock, journal, faults, decisions, location, callers: () => callers.values() });

  const host = options.host ?? '127.0.0.1';
  await app.listen({ host, port: options.port ?? 0 });
  for (const order of store.open()) location.plan(order);

  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    async close() {
      heap.close();
      for (const caller of callers.values()) caller.close();
      await app.close();
      await journal.close();
    },
  };
}
