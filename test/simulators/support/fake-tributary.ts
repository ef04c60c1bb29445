import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { decodeSecret, sign } from '../../../simulators/shared/signing.ts';

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** `status: 0` cuts the connection without an answer; `hang: true` never answers. */
export interface FakeAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly hang?: boolean;
}

/** Records every call to it and answers as told; waiting is by event, never by time. */
export class FakeTributary {
  readonly received: Received[] = [];
  answer: (call: Received, index: number) => FakeAnswer = allow;
  url = '';
  readonly #watchers = new Set<() => void>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as Record<string, unknown>;
        const call = { path: request.url ?? '', headers: request.headers, body };
        this.received.push(call);
        const answer = this.answer(call, this.received.length - 1);
        if (answer.status === 0) request.socket.destroy();
        else if (answer.hang !== true) {
          response.writeHead(answer.status, { 'content-type': 'application/json' });
          response.end(JSON.stringify(answer.body ?? {}));
        }
        for (const watcher of [...this.#watchers]) watcher();
      });
    });
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  onConnection(watch: () => void): void {
    this.#server.on('connection', watch);
  }

  /** Resolves as soon as the condition holds, looking after every call received. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The types of location events received for an order, in order of arrival. */
  types(fulfillmentOrderId: string): string[] {
    return this.received.filter((r) => r.body['fulfillmentOrderId'] === fulfillmentOrderId).map((r) => r.body['type'] as string);
  }

  event(fulfillmentOrderId: string, type: string): Record<string, unknown> | undefined {
    return this.received.find((r) => r.body['fulfillmentOrderId'] === fulfillmentOrderId && r.body['type'] === type)?.body;
  }

  /** All tracking events pushed, in order of arrival. */
  tracking(waybillNo?: string): Record<string, string>[] {
    return this.received
      .flatMap((r) => (r.body['events'] ?? []) as Record<string, string>[])
      .filter((event) => waybillNo === undefined || event['waybillNo'] === waybillNo);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function allow(call: Received): FakeAnswer {
  if (call.body['type'] === 'goods_issue') return { status: 200, body: { handOver: 'allowed' } };
  return { status: 200, body: {} };
}

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Calls a simulator as Tributary does, signed; `headers` replace the right ones. */
export async function signed(
  url: string, method: 'GET' | 'POST', path: string, body?: unknown, headers: Record<string, string> = {},
): Promise<Reply> {
  const raw = body === undefined ? '' : JSON.stringify(body);
  const id = headers['webhook-id'] ?? `msg_${randomUUID()}`;
  const timestamp = headers['webhook-timestamp'] ?? String(Math.floor(Date.now() / 1000));
  const response = await fetch(url + path, {
    method,
    headers: {
      'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp,
      'webhook-signature': sign(decodeSecret(SECRET), id, timestamp, raw),
      ...headers,
    },
    ...(body !== undefined && { body: raw }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Calls without a signature: control, and the hand-over of parcels. */
export async function plain(url: string, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Reply> {
  const response = await fetch(url + path, {
    method, ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Asks again until the answer fits: for changes that no callback announces. The test's own time limit bounds it. */
export async function polled<T>(ask: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await ask();
    if (fits(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
