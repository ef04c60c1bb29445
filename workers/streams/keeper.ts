import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ShopSessions } from '../../activities/channel-sync/session.ts';
import type { RawHttp, RejectReason, Stream } from '../../channels/channel.ts';
import { channelKind } from '../../channels/registry.ts';
import { countRejection, HintQueue } from '../../db/channels/hints.ts';
import { shopCodes, type ShopRow } from '../../db/channels/shops.ts';
import { leaseStreams, leaveStream, noteStream, type StreamNews } from '../../db/channels/streams.ts';
import type { Store } from '../../db/store.ts';
import type { Http } from '../../domain/http-port.ts';
import { repeat } from '../repeat.ts';
import { StreamConnection, type BackOff } from './connection.ts';

const LOOK_MS = 5_000;
/** A worker that was killed keeps its connections from the others for so long. */
const LEASE_S = 20;
/** A connection is given up so long before its lease ends. */
const MARGIN_MS = 2_000;
const PERMIT_AGAIN_MS = 60_000;

export type StreamKeeperDeps = {
  store: Pick<Store, 'pool' | 'network' | 'vault' | 'writer' | 'capture'>; http: Http; raw: RawHttp; logger: Logger;
  /** what became of a message of a platform: kept, not kept (it comes again), or why it was not believed */
  onMessage?: (platform: string, outcome: 'accepted' | 'failed' | RejectReason) => void;
  /** for tests */
  lookMs?: number; leaseS?: number; backOff?: BackOff;
};
type Shop = { row: ShopRow; stream: Stream };
/** `stamp`: of the accounts that it was made of. */
type Wanted = { stamp: string; shops: Shop[] };
type Held = { stamp: string; shops: Shop[]; connection: StreamConnection; ends: NodeJS.Timeout };

/**
 * Keeps the connections over which platforms push: every worker has a keeper, and each connection is with one of them at a time. Killed, its lease ends and another takes over; stopped, it
 * hands them on at once. What was not acknowledged meanwhile the platform sends again.
 */
export class StreamKeeper {
  readonly #o: StreamKeeperDeps;
  readonly #id = randomUUID();
  readonly #sessions: ShopSessions;
  readonly #queue: HintQueue;
  readonly #held = new Map<string, Held>();
  /** when a shop's messages may be asked for again, by the state of its account */
  readonly #permitAt = new Map<string, number>();
  readonly #permits = new Set<Promise<void>>();
  #stop: (() => Promise<void>) | null = null;

  constructor(options: StreamKeeperDeps) {
    const { store: { pool, network, vault, writer, capture }, http, raw } = options;
    this.#o = options;
    this.#sessions = new ShopSessions({ writer, network, vault, capture, http, raw });
    this.#queue = new HintQueue(pool, () => writer.clock());
  }

  /** The keys that are with this keeper now. */
  get keys(): string[] { return [...this.#held.keys()].sort(); }

  start(): void { this.#stop = repeat(() => this.look(), this.#o.lookMs ?? LOOK_MS, (error) => { this.#o.logger.warn({ err: error }, 'streams wait'); }); }

  /** Takes what nobody holds, renews what it holds, and follows changed accounts. Not twice at once. */
  async look(): Promise<void> {
    const wanted = await this.#wanted();
    for (const key of this.#held.keys()) if (!wanted.has(key)) await this.#leave(key);
    if (wanted.size === 0) return;
    const { leaseS = LEASE_S, store: { pool } } = this.#o;
    const asked = performance.now();
    const mine = await leaseStreams(pool, this.#id, [...wanted.keys()].map((key) => this.#news(key)), leaseS);
    for (const [key, held] of this.#held) {
      clearTimeout(held.ends);
      if (mine.has(key)) held.ends = this.#endOf(key, asked);
      else this.#lose(key, held);
    }
    await Promise.all([...mine].map((key) => this.#follow(key, wanted.get(key) as Wanted, asked)));
  }

  /** The connection is made anew where the accounts that it was made of have changed. */
  async #follow(key: string, { stamp, shops }: Wanted, asked: number): Promise<void> {
    const held = this.#held.get(key);
    if (held && held.stamp !== stamp) await held.connection.stop();
    this.#permit(key, shops);
    if (held?.stamp === stamp || (held && this.#held.get(key) !== held)) return;
    const made: Held = { stamp, shops, connection: this.#connection(key, shops), ends: held?.ends ?? this.#endOf(key, asked) };
    this.#held.set(key, made);
    made.connection.start();
  }

  async close(): Promise<void> {
    await this.#stop?.();
    await Promise.all([...[...this.#held.keys()].map((key) => this.#leave(key)), ...this.#permits]);
  }

  /** By key: the shops that come over the connection. */
  async #wanted(): Promise<Map<string, Wanted>> {
    const { pool, network } = this.#o.store;
    const wanted = new Map<string, Wanted>();
    for (const code of await shopCodes(pool)) {
      if (channelKind(network.channels.get(code)?.platform ?? '')?.capabilities.push !== 'stream') continue;
      const session = await this.#sessions.of(code);
      const stream = session?.connector.stream;
      if (!session || !stream) continue;
      const own = wanted.get(stream.key) ?? { stamp: '', shops: [] };
      own.shops.push({ row: session.shop, stream });
      own.stamp += `${code}@${session.shop.updatedAt.getTime()} `;
      wanted.set(stream.key, own);
    }
    return wanted;
  }

  #news(key: string): StreamNews {
    const connection = this.#held.get(key)?.connection;
    return { key, heardAt: connection?.heardAt ? new Date(connection.heardAt) : null, kept: connection?.takeKept() ?? 0 };
  }

  #endOf(key: string, asked: number): NodeJS.Timeout {
    const left = (this.#o.leaseS ?? LEASE_S) * 1000 - Math.min(MARGIN_MS, (this.#o.leaseS ?? LEASE_S) * 100) - (performance.now() - asked);
    return setTimeout(() => {
      const held = this.#held.get(key);
      if (held) this.#lose(key, held);
    }, Math.max(0, left));
  }

  /** Its lease is over, or nearly: another may open one now. */
  #lose(key: string, held: Held): void {
    clearTimeout(held.ends);
    held.connection.drop();
    this.#held.delete(key);
    this.#o.logger.warn({ stream: key }, 'the lease of a stream could not be renewed: it is dropped');
  }

  async #leave(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (!held) return;
    await held.connection.stop();
    clearTimeout(held.ends);
    const news = this.#news(key);
    this.#held.delete(key);
    await leaveStream(this.#o.store.pool, this.#id, news);
    this.#o.logger.info({ stream: key }, 'stream handed on');
  }

  #connection(key: string, shops: readonly Shop[]): StreamConnection {
    const { store: { pool, writer }, logger, backOff, onMessage } = this.#o;
    const first = shops[0] as Shop;
    const { platform } = first.row.channel;
    const byOwner = new Map(shops.map((s) => [s.stream.owner, s.row.channel]));
    const failed = (what: string) => (error: unknown): void => { logger.warn({ err: error, stream: key }, what); };
    return new StreamConnection({
      stream: first.stream, logger, now: () => writer.clock().getTime(), ...(backOff ? { backOff } : {}),
      owns: (owner) => byOwner.has(owner),
      keep: async (owner, hints) => {
        const channel = byOwner.get(owner);
        try {
          if (channel && hints.length > 0) await this.#queue.store(hints.map((h) => ({ ...h, channelId: channel.id, channelCode: channel.code })));
        } catch (error) {
          onMessage?.(platform, 'failed');
          throw error;
        }
        onMessage?.(platform, 'accepted');
      },
      reject: (reason) => {
        onMessage?.(platform, reason);
        countRejection(pool, first.row.channel.id, reason, writer.clock()).catch(failed('a rejected message was not counted'));
      },
      told: (fault) => {
        if (fault === null) logger.info({ stream: key }, 'stream open');
        else logger.warn({ stream: key, fault }, 'stream not open');
        noteStream(pool, key, this.#id, fault === null ? { open: true } : { open: false, fault }, writer.clock()).catch(failed('the state of a stream was not noted'));
      },
    });
  }

  /** Each shop's messages are asked for once for each state of its account. One that the platform refuses keeps no other back: its orders come by the poll, and it is asked for again. */
  #permit(key: string, shops: readonly Shop[]): void {
    for (const { row, stream } of shops) {
      const account = `${row.channel.code}@${row.updatedAt.getTime()}`;
      if (performance.now() < (this.#permitAt.get(account) ?? 0)) continue;
      this.#permitAt.set(account, Infinity);
      const asked = stream.permit().catch((error: unknown) => {
        this.#permitAt.set(account, performance.now() + PERMIT_AGAIN_MS);
        this.#o.logger.warn({ err: error, stream: key, channel: row.channel.code }, 'the platform does not send the messages of a shop');
      }).finally(() => { this.#permits.delete(asked); });
      this.#permits.add(asked);
    }
  }
}
