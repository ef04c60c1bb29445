import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { TimerHeap } from './timer-heap.ts';

/** One POST that is repeated, with the same `webhook-id`, until somebody answers. */
export interface Call {
  readonly path: string;
  readonly body: string;
  readonly webhookId: string;
  readonly apiKey?: string | undefined;
  /** Called once with the final answer: any status below 500. */
  readonly done: (answer: Answer) => void;
}

export interface Answer {
  readonly status: number;
  /** The JSON of the answer; undefined when it is empty or not JSON. */
  readonly body: unknown;
}

export interface CallerOptions {
  /** The other side's base address; a path in it is kept. */
  readonly baseUrl: string;
  readonly heap: TimerHeap;
  readonly speed: number;
  /** Requests in flight at once. */
  readonly concurrency?: number;
  /** No answer within this real time counts as none. */
  readonly timeoutMs?: number;
}

interface Pending extends Call {
  failures: number;
}

const LONGEST_RETRY_SECONDS = 60;
/** However fast the simulated time runs, a failing partner is not asked in a busy loop. */
const SHORTEST_RETRY_MS = 20;
const LONGEST_PAUSE_MS = 1000;

/** Sends calls to one partner over kept-alive connections, a few at a time, with the retries of the protocol. */
export class Caller {
  /** Figures for `/_control/stats`. */
  readonly stats = { answered: 0, refused: 0, retries: 0 };
  readonly #base: URL;
  readonly #heap: TimerHeap;
  readonly #speed: number;
  readonly #concurrency: number;
  readonly #timeoutMs: number;
  readonly #agent: HttpAgent;
  readonly #inFlight = new Set<ClientRequest>();
  #queue: Pending[] = [];
  #head = 0;
  #unreachable = 0;
  #paused = false;
  #closed = false;

  constructor(options: CallerOptions) {
    this.#base = new URL(options.baseUrl);
    this.#heap = options.heap;
    this.#speed = options.speed;
    this.#concurrency = options.concurrency ?? 16;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    const agentOptions = { keepAlive: true, maxSockets: this.#concurrency };
    this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  }

  post(call: Call): void {
    this.#enqueue({ ...call, failures: 0 });
  }

  /** Calls that wait or are in flight; those waiting for a retry are in the heap. */
  get depth(): number {
    return this.#queue.length - this.#head + this.#inFlight.size;
  }

  /** Drops what is in flight without an answer; the next start asks again. */
  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#head = 0;
    for (const request of this.#inFlight) request.destroy();
    this.#agent.destroy();
  }

  #enqueue(pending: Pending): void {
    if (this.#closed) return;
    this.#queue.push(pending);
    this.#pump();
  }

  #pump(): void {
    while (!this.#paused && this.#inFlight.size < this.#concurrency && this.#head < this.#queue.length) {
      const next = this.#queue[this.#head++] as Pending;
      if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      this.#send(next);
    }
  }

  #send(pending: Pending): void {
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(pending.body),
      'webhook-id': pending.webhookId,
    };
    if (pending.apiKey !== undefined) headers['authorization'] = `Bearer ${pending.apiKey}`;
    const path = this.#base.pathname.replace(/\/$/, '') + pending.path;
    const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send({
      agent: this.#agent, method: 'POST', headers, path,
      hostname: this.#base.hostname.replace(/^\[|\]$/g, ''), port: this.#base.port,
    });
    this.#inFlight.add(request);
    let open = true;
    const finish = (answer: Answer | undefined): void => {
      if (!open) return;
      open = false;
      clearTimeout(deadline);
      this.#inFlight.delete(request);
      if (!this.#closed) this.#settle(pending, answer);
    };
    const deadline = setTimeout(() => request.destroy(new Error('no answer in time')), this.#timeoutMs);
    request.on('response', (response) => void collect(response, finish));
    request.on('error', () => finish(undefined)); // no answer: #settle repeats the call
    request.on('close', () => finish(undefined));
    request.end(pending.body);
  }

  #settle(pending: Pending, answer: Answer | undefined): void {
    if (answer === undefined) this.#pause();
    else this.#unreachable = 0;
    if (answer === undefined || answer.status >= 500) {
      this.stats.retries += 1;
      pending.failures += 1;
      const seconds = Math.min(LONGEST_RETRY_SECONDS, 2 ** (pending.failures - 1));
      this.#heap.schedule(Math.max(SHORTEST_RETRY_MS, (seconds * 1000) / this.#speed), () => this.#enqueue(pending));
    } else {
      this.stats.answered += 1;
      if (answer.status >= 300) this.stats.refused += 1;
      pending.done(answer);
    }
    this.#pump();
  }

  /** Nobody there: with thousands of calls waiting, each on its own retry, only a common pause keeps the processor free. */
  #pause(): void {
    if (this.#paused) return;
    this.#unreachable += 1;
    this.#paused = true;
    this.#heap.schedule(Math.min(LONGEST_PAUSE_MS, 10 * 2 ** Math.min(this.#unreachable, 10)), () => {
      this.#paused = false;
      this.#pump();
    });
  }
}

function collect(response: IncomingMessage, finish: (answer: Answer | undefined) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    text += part;
  });
  response.on('error', () => finish(undefined)); // cut off in the middle: the same as no answer
  response.on('end', () => finish({ status: response.statusCode ?? 500, body: parse(text) }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // documented in Answer: what cannot be read allows nothing
  }
}
