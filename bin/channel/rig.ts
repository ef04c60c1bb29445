import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { oneAtATime } from '../../activities/channel-sync/context.ts';
import { createIo } from '../../activities/channel-sync/io.ts';
import { Limiter } from '../../activities/channel-sync/limiter.ts';
import { readSettings } from '../../api/channels/settings.ts';
import { capabilitiesOf, textReply, type Capabilities, type ChannelConnector, type ChannelKind, type Hint, type Push, type RawHttp, type Received, type Reply, type Shop, type Stream, type Token } from '../../channels/channel.ts';
import { createLogger } from '../../runtime/logger.ts';
import { startPlatform, type RunningPlatform } from '../../simulators/platform/start-platform.ts';
import type { Protocol } from '../../simulators/platform/protocol.ts';
import { createRawHttp } from '../../workers/http.ts';
import { StreamConnection } from '../../workers/streams/connection.ts';
import { Fault } from './fault.ts';

/** A push, or a message of a stream, and how the connector read it. */
export type Arrived = { received: Received | null; error: Error | null };
/** `account`: the settings of a shop. Without `protocol` the shop is a live one, where nothing may be changed. */
export type RigOptions = { kind: ChannelKind; account: Readonly<Record<string, unknown>>; protocol: Protocol | null; currency?: string; orders?: readonly string[]; skus?: readonly string[]; raw?: RawHttp };

export const ITEMS = [1, 2, 3].map((n) => ({ sku: `P-${n}`, itemId: `900${n}`, merchantCode: `SKU-${n}`, title: `Item ${n}`, price: 1000 * n, stock: 30 }));

/** A connector with a shop to talk to: the platform's simulator, or a live account. Tokens live in memory; pushes arrive at a server of its own and are read at once. */
export class Rig {
  readonly kind: ChannelKind;
  readonly shop: Shop;
  readonly capabilities: Capabilities;
  readonly connector: ChannelConnector;
  readonly live: boolean;
  readonly orders: readonly string[];
  readonly skus: readonly string[];
  readonly arrived: Arrived[] = [];
  readonly #platform: RunningPlatform | null;
  readonly #server: Server | null;
  #stream: StreamConnection | null = null;
  /** so many of the next messages of a stream cannot be kept */
  failKeeping = 0;
  #offset = 0;
  /** how often a token was made, and when the last one ends */
  tokens = 0;
  tokenEnds: number | null = null;
  #kept: (Token & { serial: number }) | null = null;
  /** answers of the next so many calls come so much later each, ms: they were under way together and come back one by one */
  stagger = { calls: 0, ms: 0 };

  private constructor(o: RigOptions, platform: RunningPlatform | null, server: Server | null, offset: () => number) {
    this.kind = o.kind;
    this.live = o.protocol === null;
    this.orders = o.orders ?? [];
    this.skus = o.skus ?? [];
    this.#platform = platform;
    this.#server = server;
    const { settings, secrets } = readSettings(o.kind, platform ? { ...o.account, baseUrl: platform.url } : { ...o.account }, []);
    this.shop = { code: o.kind.platform, currency: o.currency ?? 'CNY', settings, secrets };
    this.capabilities = capabilitiesOf(o.kind, settings);
    const own = settings['timeoutMs'];
    this.connector = this.#connect(o, typeof own === 'number' ? own : o.kind.timeoutMs, () => Date.now() + offset());
  }

  static async open(o: RigOptions): Promise<Rig> {
    let rig: Rig | null = null;
    const offset = (): number => (rig === null ? 0 : rig.#offset);
    const server = o.protocol ? createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => { parts.push(part); });
      request.on('end', () => {
        const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
        const push: Push = { method: request.method ?? '', query: new URL(request.url ?? '/', 'http://push.invalid').searchParams, headers, body: Buffer.concat(parts), now: Date.now() + offset() };
        const reply = (rig as Rig).#receive(push);
        response.writeHead(reply.status, { 'content-type': reply.contentType }).end(reply.body);
      });
    }) : null;
    const platform = o.protocol ? await startPlatform(o.protocol, { settings: { ...o.account }, speed: 1000, clock: () => Date.now() + offset(), items: ITEMS }) : null;
    if (server) await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    try {
      rig = new Rig(o, platform, server, offset);
      const { stream } = rig.connector;
      if (platform && stream) await rig.#listen(stream);
    } catch (error) {
      if (rig) rig.#stream?.drop();
      await platform?.close();
      server?.close();
      throw error;
    }
    if (platform && server) platform.pusher.hookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    return rig;
  }

  #connect(o: RigOptions, timeoutMs: number, now: () => number): ChannelConnector {
    const alone = oneAtATime();
    const io = createIo({
      code: o.kind.platform, limiter: new Limiter(o.kind.limits), raw: this.#staggered(o.raw ?? createRawHttp()), timeoutMs, now, connector: () => connector,
      tokens: {
        read: () => Promise.resolve(this.#kept),
        refresh: (beyond, next) => alone(async () => {
          const kept = this.#kept;
          if (kept !== null && kept.serial !== beyond) return kept;
          this.tokens += 1;
          const made = { ...await next(kept), serial: (kept?.serial ?? 0) + 1 };
          this.#kept = made;
          this.tokenEnds = made.expiresAt;
          return made;
        }),
      },
    });
    const connector = o.kind.connect(this.shop, io);
    return connector;
  }

  #staggered(raw: RawHttp): RawHttp {
    let held = 0;
    return async (call, timeoutMs) => {
      const late = this.stagger.calls > 0 ? ++held * this.stagger.ms : 0;
      if (late > 0) this.stagger.calls -= 1;
      else held = 0;
      const answer = await raw(call, timeoutMs);
      if (late > 0) await new Promise((resolve) => { setTimeout(resolve, late); });
      return answer;
    };
  }

  /** The platform no longer believes the access token, though its time is not over; what the next one is asked for with still counts. */
  revoke(): void {
    if (this.#kept === null) throw new Fault('it has a token that can be revoked, but its calls ask for none (io.token())');
    this.#kept = { ...this.#kept, access: `revoked-${this.#kept.serial}` };
  }

  #receive(push: Push): Reply {
    try {
      if (!this.connector.receive) throw new Fault('the capability flags promise pushes, but the connector has no receive');
      const received = this.connector.receive(push);
      this.arrived.push({ received, error: null });
      return received.reply;
    } catch (error) {
      this.arrived.push({ received: null, error: error as Error });
      return textReply(500, 'the connector threw');
    }
  }

  /** Opens the platform's stream as the worker does; messages are kept in memory. */
  async #listen(stream: Stream): Promise<void> {
    const none = textReply(0, '');
    await new Promise<void>((resolve, reject) => {
      this.#stream = new StreamConnection({
        stream, now: () => this.now(), logger: createLogger('channel-check', 'silent'), backOff: { firstMs: 5, mostMs: 50 },
        owns: (owner) => owner === stream.owner,
        keep: (_owner, hints) => {
          if (this.failKeeping > 0) {
            this.failKeeping -= 1;
            return Promise.reject(new Error('the contract does not let it be kept'));
          }
          this.arrived.push({ received: { kind: 'hints', hints: [...hints], reply: none, failed: none }, error: null });
          return Promise.resolve();
        },
        reject: (reason) => { this.arrived.push({ received: { kind: 'rejected', reason, reply: none }, error: null }); },
        told: (fault) => {
          if (fault === null) resolve();
          else reject(new Fault(`its stream does not open: ${fault}`)); // once it was open, nobody listens to this
        },
      });
      this.#stream.start();
    });
  }

  /** The platform's simulator. */
  get platform(): RunningPlatform {
    if (!this.#platform) throw new Fault('only the simulator can be asked for this');
    return this.#platform;
  }

  now(): number { return Date.now() + this.#offset; }
  /** Time goes by, at the platform's and ours. */
  advance(seconds: number): void { this.#offset += seconds * 1000; }

  /** A buyer orders there. */
  place(wanted: Parameters<RunningPlatform['shop']['place']>[0]): NonNullable<ReturnType<RunningPlatform['shop']['place']>> {
    const order = this.platform.shop.place(wanted);
    if (!order) throw new Fault(`the simulator had sold out of ${wanted.lines.map((l) => l.sku).join(', ')}`);
    return order;
  }

  /** Everything that happened there has been pushed and answered, or given up. Gives what has arrived meanwhile; what the connector threw is thrown. */
  async pushed(): Promise<Arrived[]> {
    const before = this.arrived.length;
    const { pusher } = this.platform;
    pusher.flush();
    while (pusher.open > 0) await new Promise((resolve) => { setTimeout(resolve, 2); });
    const fresh = this.arrived.slice(before);
    const failed = fresh.find((a) => a.error !== null);
    if (failed?.error) throw failed.error;
    return fresh;
  }

  /** The hints of what has happened there, however they come: pushed, or taken from the platform's queue and confirmed. */
  async news(): Promise<Hint[]> {
    const pushed = Rig.hints(await this.pushed());
    return this.capabilities.push === 'queue' ? [...pushed, ...await this.taken()] : pushed;
  }

  /** What waits in the platform's queue; confirmed, unless `confirm` says not. */
  async taken(confirm = true): Promise<Hint[]> {
    const { takeMessages } = this.connector;
    if (!takeMessages) throw new Fault('its messages wait in a queue, but the connector has no takeMessages');
    const hints: Hint[] = [];
    for (let round = 0; round < 1000; round++) {
      const taken = await takeMessages.call(this.connector);
      hints.push(...taken.hints);
      if (confirm) await taken.confirm();
      if (!taken.more || !confirm) return hints;
    }
    throw new Fault('takeMessages never comes to an end: `more` is false when the queue is empty');
  }

  /** The hints of pushes. */
  static hints(arrived: readonly Arrived[]): Hint[] { return arrived.flatMap((a) => (a.received?.kind === 'hints' ? a.received.hints : [])); }

  async close(): Promise<void> {
    await this.#stream?.stop();
    await this.#platform?.close();
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => { if (this.#server) this.#server.close(() => { resolve(); }); else resolve(); });
  }
}
