import { connect, type Socket } from 'node:net';

export type HttpReply = { status: number; body: string; ms: number };

/**
 * One keep-alive connection with one request under way, written by hand because an HTTP client library would use more of the shared cores than the
 * server. A broken connection rejects with its error; the next `send` connects again.
 */
export class Connection {
  readonly #port: () => number;
  #socket: Socket | null = null;
  #pending = '';
  #resolve: ((reply: HttpReply) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  #since = 0;

  constructor(port: () => number) { this.#port = port; }

  async send(request: Buffer): Promise<HttpReply> {
    const socket = this.#socket ?? await this.#connect();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#since = performance.now();
      socket.write(request);
    });
  }

  close(): void { this.#socket?.destroy(); }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#port(), '127.0.0.1');
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('error', reject); });
    this.#socket = socket;
    const broken = (error: Error): void => {
      if (this.#socket === socket) this.#socket = null;
      this.#pending = '';
      const reject = this.#reject;
      this.#resolve = this.#reject = null;
      reject?.(error);
    };
    socket.on('error', broken);
    socket.on('close', () => { broken(new Error('the connection was closed')); });
    socket.on('data', (chunk) => { this.#read(chunk.toString('latin1')); });
    return socket;
  }

  #read(text: string): void {
    this.#pending += text;
    const head = this.#pending.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#pending.slice(0, head))?.[1] ?? 0);
    if (this.#pending.length < head + 4 + length) return;
    const reply = { status: Number(this.#pending.slice(9, 12)), body: this.#pending.slice(head + 4, head + 4 + length), ms: performance.now() - this.#since };
    this.#pending = this.#pending.slice(head + 4 + length);
    const resolve = this.#resolve;
    this.#resolve = this.#reject = null;
    resolve?.(reply);
  }
}

export function post(path: string, key: string, body: unknown): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(`POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}
