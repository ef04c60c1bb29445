import type { FastifyInstance } from 'fastify';
import type { Item, ShopEvent } from './order.ts';
import type { ShopState } from './shop.ts';

/** What a test or a demo may ask of any platform; `next…`: for so many of the next calls. */
export type PlatformFaults = {
  /** pushes are sent this often each (1: once) */
  copies: number;
  /** pushes that wait together go out in reverse */
  shuffle: boolean;
  /** pushes are lost */
  dropPushes: boolean;
  /** no push goes out until this is over (a live session's flood comes at once) */
  holdPushes: boolean;
  /** so many stock or shipment calls are carried out and not answered */
  nextTimeouts: number;
  /** so many calls are answered with the platform's own word for "too fast" */
  nextThrottled: number;
  /** so many calls fail with the platform's own system error */
  nextErrors: number;
  /** every call fails: the platform is down */
  down: boolean;
  /** so many acknowledgements of messages are lost, and their connections with them (streams) */
  nextCuts: number;
  /** connections stay open and say nothing (streams) */
  mute: boolean;
  /** happens after each call, before it is answered: what a buyer does while the shop is read */
  meanwhile: (() => void) | null;
};
export const NO_FAULTS: PlatformFaults = { copies: 1, shuffle: false, dropPushes: false, holdPushes: false, nextTimeouts: 0, nextThrottled: 0, nextErrors: 0, down: false, nextCuts: 0, mute: false, meanwhile: null };

export type BadPush = 'forged' | 'stale' | 'truncated';
/** `id`: of the message, where pushes go over a stream: `body` is then its frame. */
export type PushRequest = { id?: string; method: 'GET' | 'POST'; query: string; headers: Record<string, string>; body: string };
export type Platform = {
  shop: ShopState; faults: PlatformFaults; settings: Readonly<Record<string, unknown>>; clock: () => number; counts: Record<string, number>;
  /** What a protocol keeps beside the shop, as JSON (its tokens): `first` where nothing was kept. */
  memory<T extends object>(name: string, first: T): T;
};

/** A stream as the platform keeps it: who may open one, what is said over it. */
export type StreamProtocol = {
  /** null: the shop may; else the HTTP status of the refusal */
  admits(path: string, platform: Platform): number | null;
  /** `bad`: the platform closes the connection on it */
  read(frame: string): { kind: 'ack'; id: string } | { kind: 'alive' } | { kind: 'bad' };
  heartbeat(now: number): string;
  heartbeatMs(platform: Platform): number;
  /** a shop that is silent so long is dropped, ms */
  silenceMs(platform: Platform): number;
};

/** The protocol of one platform: its calls, its pushes, its words. Signing is written anew here, never taken from the connector. */
export type Protocol = {
  restores: ShopState['restores'];
  routes(app: FastifyInstance, platform: Platform): void;
  /** its pushes go over a WebSocket that the shop opens; without it, to an address of the shop's */
  stream?: StreamProtocol;
  /** One push for these events (several only where the platform sends batches); null: the platform pushes nothing for them. `bad`: spoilt in this way; `at`: when it was signed. */
  push(events: readonly ShopEvent[], platform: Platform, options: { bad?: BadPush; at?: number }): PushRequest | null;
  /** Where the platform pushes nothing but keeps messages until they are taken: puts these into its queue. */
  enqueue?(events: readonly ShopEvent[], platform: Platform): void;
  /** most events in one push */
  batch: number;
  acknowledged(status: number, body: string): boolean;
  /** waits before each further try, ms */
  retries: readonly number[];
  deadlineMs: number;
  /** lines have no ids there: what names them instead */
  lineId?(item: Item): string;
  /** so many deliveries in a row that failed, and it pushes no more until the address is given anew */
  disabledAfter?: number;
  /** each try is signed anew, at its own time */
  signsTries?: boolean;
  /** an address that fails the heartbeat (`probe`) is told nothing more until it answers one; what happens meanwhile is never pushed */
  pauses?: boolean;
  /** what the platform sends to see whether somebody listens */
  probe?(platform: Platform): { request: PushRequest; good(status: number, body: string): boolean };
};
