import type { Server } from 'node:http';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Platform, StreamProtocol } from './protocol.ts';

type Delivery = { socket: WebSocket; done: (answer: { status: number; body: string }) => void; timer: NodeJS.Timeout };

/** The platform's end of its streams: lets shops in, sends messages, waits for their acknowledgements, shows that it lives, drops who is silent. */
export class StreamServer {
  readonly #platform: Platform;
  readonly #protocol: StreamProtocol;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1_048_576, perMessageDeflate: false });
  readonly #open = new Map<WebSocket, NodeJS.Timeout[]>();
  readonly #waiting = new Map<string, Delivery>();
  #next = 0;
  /** connections that were opened, refused, and the most that were open at once */
  opened = 0;
  refused = 0;
  most = 0;
  #closed = false;
  #waitingForSomeone: (() => void)[] = [];

  constructor(platform: Platform, protocol: StreamProtocol, server: Server) {
    this.#platform = platform;
    this.#protocol = protocol;
    server.on('upgrade', (request, socket, head) => {
      const status = protocol.admits(request.url ?? '', platform);
      if (status !== null) {
        this.refused += 1;
        socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#server.handleUpgrade(request, socket, head, (ws) => { this.#admit(ws); });
    });
  }

  get live(): number { return this.#open.size; }

  /** One message to one of the open connections; where there is none, once there is one. The answer is its acknowledgement, or status 0. */
  async send(id: string, frame: string, deadlineMs: number): Promise<{ status: number; body: string }> {
    while (this.#open.size === 0 && !this.#closed) await new Promise<void>((resolve) => { this.#waitingForSomeone.push(resolve); });
    const sockets = [...this.#open.keys()];
    const socket = sockets[this.#next++ % Math.max(1, sockets.length)];
    if (!socket || this.#closed) return { status: 0, body: 'closed' };
    return new Promise((resolve) => {
      const done = (answer: { status: number; body: string }): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => { done({ status: 0, body: 'not acknowledged in time' }); }, deadlineMs);
      this.#waiting.set(id, { socket, done, timer });
      if (!this.#platform.faults.mute) socket.send(frame, (error) => { if (error) socket.terminate(); });
    });
  }

  /** Nobody waits for it any more. */
  giveUp(id: string): void { this.#waiting.get(id)?.done({ status: 0, body: 'not acknowledged' }); }

  /** Ends every connection without a word. */
  cut(): void { for (const socket of this.#open.keys()) socket.terminate(); }

  close(): void {
    this.#closed = true;
    for (const go of this.#waitingForSomeone.splice(0)) go();
    this.cut();
    this.#server.close();
  }

  #admit(socket: WebSocket): void {
    const { clock, faults } = this.#platform;
    const silence = setTimeout(() => { socket.terminate(); }, this.#protocol.silenceMs(this.#platform));
    const beat = setInterval(() => { if (!faults.mute) socket.send(this.#protocol.heartbeat(clock())); }, this.#protocol.heartbeatMs(this.#platform));
    this.#open.set(socket, [silence, beat]);
    this.opened += 1;
    this.most = Math.max(this.most, this.#open.size);
    socket.on('message', (data: RawData) => {
      silence.refresh();
      const frame = this.#protocol.read((data as Buffer).toString('utf8'));
      if (frame.kind === 'bad') socket.terminate();
      else if (frame.kind === 'ack') this.#acknowledged(socket, frame.id, (data as Buffer).toString('utf8'));
    });
    socket.on('error', () => { socket.terminate(); });
    socket.on('close', () => {
      for (const timer of this.#open.get(socket) ?? []) clearTimeout(timer);
      this.#open.delete(socket);
      for (const delivery of this.#waiting.values()) if (delivery.socket === socket) delivery.done({ status: 0, body: 'the connection was lost' });
    });
    for (const go of this.#waitingForSomeone.splice(0)) go();
  }

  #acknowledged(socket: WebSocket, id: string, text: string): void {
    const { faults } = this.#platform;
    if (faults.nextCuts > 0) {
      faults.nextCuts -= 1;
      socket.terminate();
      return;
    }
    this.#waiting.get(id)?.done({ status: 200, body: text });
  }
}
