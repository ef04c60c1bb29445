import { WebSocket } from 'ws';
import type { Logger } from 'pino';
import type { Hint, RejectReason, Stream } from '../../channels/channel.ts';

const HANDSHAKE_MS = 10_000;
const MOST_BYTES = 1_048_576;
/** Messages that are being kept at once; more of them wait with the platform. */
const MOST_PENDING = 500;
/** Open so long, and what went wrong before is forgotten. */
const STEADY_MS = 60_000;
/** How long a stop waits for what is being kept, and then for the platform's farewell. */
const KEEP_MS = 10_000;
const FAREWELL_MS = 1_000;

export type BackOff = { firstMs: number; mostMs: number };
export type StreamConnectionOptions = {
  stream: Stream;
  /** whether a shop of ours has this name */
  owns: (owner: string) => boolean;
  /** Puts hints on the disk. What it throws leaves the message with the platform, which sends it again. */
  keep: (owner: string, hints: readonly Hint[]) => Promise<void>;
  reject: (reason: RejectReason) => void;
  /** It is open (null), or why it is not. */
  told: (fault: string | null) => void;
  now: () => number;
  logger: Logger;
  backOff?: BackOff;
};

/** A WebSocket to a platform, opened again with growing pauses whenever it ends. A message is acknowledged after it is on the disk, and never else. */
export class StreamConnection {
  readonly #o: StreamConnectionOptions;
  readonly #backOff: BackOff;
  #socket: WebSocket | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  #pending = 0;
  #idle: (() => void)[] = [];
  #stopping: Promise<void> | null = null;
  #dropped = false;
  /** ms since epoch, by our clock */
  heardAt: number | null = null;
  #kept = 0;

  constructor(options: StreamConnectionOptions) {
    this.#o = options;
    this.#backOff = options.backOff ?? { firstMs: 1_000, mostMs: 60_000 };
  }

  start(): void { this.#connect(); }

  /** Messages kept and acknowledged since this was last asked. */
  takeKept(): number {
    const kept = this.#kept;
    this.#kept = 0;
    return kept;
  }

  /** Takes no more messages, keeps and acknowledges those under way, and says farewell. */
  stop(): Promise<void> { return (this.#stopping ??= this.#stop()); }

  /** Ends at once: it is somebody else's from now on. What is not acknowledged goes to them. */
  drop(): void {
    this.#dropped = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#socket?.terminate();
  }

  get #over(): boolean { return this.#dropped || this.#stopping !== null; }

  #connect(): void {
    const { stream, now } = this.#o;
    let socket: WebSocket;
    try {
      socket = new WebSocket(stream.address(now()), { followRedirects: false, handshakeTimeout: HANDSHAKE_MS, maxPayload: MOST_BYTES, perMessageDeflate: false });
    } catch (error) {
      this.#ended((error as Error).name === 'SyntaxError' ? 'the address of the stream is none' : (error as Error).name, 0);
      return;
    }
    this.#socket = socket;
    let openedAt: number | null = null;
    let fault = 'the platform closed the connection';
    let beat: NodeJS.Timeout | undefined;
    let silence: NodeJS.Timeout | undefined;
    socket.on('open', () => {
      openedAt = performance.now();
      silence = setTimeout(() => {
        fault = `the platform was silent for ${stream.silenceMs} ms`;
        socket.terminate();
      }, stream.silenceMs);
      const sign = (): void => { send(socket, stream.heartbeat(now())); };
      sign();
      beat = setInterval(sign, stream.heartbeatMs);
      this.#o.told(null);
    });
    socket.on('message', (data, binary) => {
      if (this.#over) return; // the platform keeps what is not acknowledged
      silence?.refresh();
      this.heardAt = now();
      if (binary) this.#o.reject('malformed');
      else this.#take(socket, asText(data), (why) => { fault = why; });
    });
    socket.on('error', (error: Error & { code?: string }) => { fault = error.message.startsWith('Unexpected server response') ? `the platform refused the connection: ${error.message.slice(-3)}` : error.code ?? error.name; });
    socket.on('close', () => {
      clearInterval(beat);
      clearTimeout(silence);
      this.#socket = null;
      this.#ended(fault, openedAt === null ? 0 : performance.now() - openedAt);
    });
  }

  /** After a while that doubles, in part by chance: many that were cut off at once do not come back at once. */
  #ended(fault: string, openMs: number): void {
    if (this.#over) return;
    if (openMs >= STEADY_MS) this.#failures = 0;
    const most = Math.min(this.#backOff.mostMs, this.#backOff.firstMs * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    this.#o.told(fault);
    this.#retry = setTimeout(() => { this.#connect(); }, most / 2 + Math.random() * (most / 2));
  }

  #take(socket: WebSocket, text: string, because: (why: string) => void): void {
    const frame = this.#o.stream.read(text, this.#o.now());
    if (frame.kind === 'rejected') this.#o.reject(frame.reason);
    if (frame.kind !== 'hints') return;
    if (!this.#o.owns(frame.owner)) {
      this.#o.reject('unknown_app');
      return;
    }
    this.#pending += 1;
    if (this.#pending >= MOST_PENDING) socket.pause();
    this.#o.keep(frame.owner, frame.hints).then(() => {
      this.#failures = 0;
      this.#kept += 1;
      send(socket, frame.ack);
    }, (error: unknown) => {
      this.#o.logger.error({ err: error, stream: this.#o.stream.key }, 'a message could not be kept: the platform sends it again');
      because('a message could not be kept');
      socket.terminate();
    }).finally(() => {
      this.#pending -= 1;
      if (this.#pending < MOST_PENDING / 2 && socket.isPaused) socket.resume();
      if (this.#pending === 0) for (const done of this.#idle.splice(0)) done();
    });
  }

  async #stop(): Promise<void> {
    if (this.#retry) clearTimeout(this.#retry);
    const socket = this.#socket;
    if (!socket) return;
    await within(KEEP_MS, new Promise<void>((resolve) => { if (this.#pending === 0) resolve(); else this.#idle.push(resolve); }));
    const closed = new Promise<void>((resolve) => { socket.once('close', () => { resolve(); }); });
    if (socket.readyState === WebSocket.OPEN) {
      socket.resume();
      socket.close(1000);
      await within(FAREWELL_MS, closed);
    }
    if (socket.readyState !== WebSocket.CLOSED) {
      socket.terminate();
      await closed;
    }
  }
}

/** A connection that has gone meanwhile takes nothing: the platform sends again what it was not acknowledged. */
function send(socket: WebSocket, text: string): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(text, (error) => { if (error) socket.terminate(); });
}

const asText = (data: WebSocket.RawData): string => (Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString('utf8');

async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([done, new Promise<void>((resolve) => { timer = setTimeout(resolve, ms); })]);
  clearTimeout(timer);
}
