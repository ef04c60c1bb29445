import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import pg from 'pg';
import type { Logger } from 'pino';
import { acknowledgeOutbox, leaseOutbox, postponeOutbox, type OrderOutboxRow, type OutboxRow, type WorkflowOutboxRow } from '../db/outbox.ts';
import { encodeId } from '../domain/ids.ts';
import { LOOK, type OrderInput, type ReturnInput } from '../workflows/contract/messages.ts';
import { ORDER_WORKFLOW, orderWorkflowId, RETURN_WORKFLOW, returnWorkflowId } from '../workflows/contract/ids.ts';
import { ChannelKey, OrderStatusKey, PromiseByKey } from '../workflows/contract/search-attributes.ts';

export type RelayOptions = {
  pool: pg.Pool; url: string; client: Client; taskQueue: string; logger: Logger;
  /** workflow starts and signals under way at once */
  slots?: number;
  /** the orders that the worker has not yet brought to their location: no more are started than it can work off */
  underWay?: { readonly count: number; started(orderId: string): void };
  pollMs?: number; leaseSeconds?: number;
  onHandled?: (topic: string, outcome: 'done' | 'postponed') => void;
};

const BUSY_MS = 20;

/**
 * Hands outbox rows to Temporal: starts orders eagerly on this worker's own connection, signals the others. Woken by NOTIFY and once a
 * second anyway; leases only as many rows as it has slots free, so that the urgent ones are never stuck behind a heap.
 */
export class Relay {
  readonly #options: Required<RelayOptions>;
  #listener: pg.Client | null = null;
  #connecting = false;
  #inFlight = 0;
  #pumping = false;
  #again = false;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #idle: (() => void)[] = [];

  constructor(options: RelayOptions) {
    this.#options = { slots: 20, underWay: { count: 0, started: () => undefined }, pollMs: 1000, leaseSeconds: 30, onHandled: () => undefined, ...options };
  }

  async start(): Promise<void> {
    await this.#listen();
    this.#tick();
  }

  /** Takes no more rows and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#retry) clearTimeout(this.#retry);
    await this.#listener?.end();
    while (this.#inFlight > 0 || this.#pumping) await new Promise<void>((resolve) => { this.#idle.push(resolve); });
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#options.url, application_name: 'tributary relay' });
    client.on('error', (error) => { this.#options.logger.warn({ err: error }, 'relay listener lost'); });
    client.on('end', () => { if (!this.#closed && this.#listener === client) this.#listener = null; });
    client.on('notification', () => { this.#pump(); });
    this.#connecting = true;
    try {
      await client.connect();
      await client.query('listen outbox');
      if (this.#closed) await client.end();
      else this.#listener = client;
    } finally {
      this.#connecting = false;
    }
  }

  #tick(): void {
    if (this.#closed) return;
    this.#pump();
    this.#timer = setTimeout(() => {
      // The poll covers for a lost listener; opening it again is all there is to do about it.
      if (!this.#listener && !this.#connecting) this.#listen().catch((error: Error) => { this.#options.logger.warn({ err: error }, 'relay cannot listen yet'); });
      this.#tick();
    }, this.#options.pollMs);
  }

  #pump(): void {
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    if (this.#closed) return;
    this.#pumping = true;
    this.#drain()
      .catch((error: Error) => { this.#options.logger.warn({ err: error }, 'relay cannot read the outbox'); })
      .finally(() => {
        this.#pumping = false;
        this.#settle();
        if (this.#again) {
          this.#again = false;
          this.#pump();
        }
      });
  }

  async #drain(): Promise<void> {
    while (!this.#closed) {
      const free = this.#options.slots - Math.max(this.#inFlight, this.#options.underWay.count);
      // Rows are asked for in handfuls: a query for every single free slot would cost more than it gains.
      if (free < Math.min(this.#options.slots, 4)) {
        this.#later();
        return;
      }
      const rows = await leaseOutbox(this.#options.pool, free, this.#options.leaseSeconds);
      if (rows.length === 0) return;
      for (const row of rows) {
        this.#inFlight++;
        void this.#handle(row).finally(() => {
          this.#inFlight--;
          this.#settle();
          this.#pump();
        });
      }
    }
  }

  /** The worker says nothing when it has room again. */
  #later(): void {
    if (this.#inFlight > 0 || this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#pump();
    }, BUSY_MS);
  }

  #settle(): void {
    if (this.#inFlight > 0 || this.#pumping) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #handle(row: OutboxRow): Promise<void> {
    const { pool, logger, onHandled } = this.#options;
    try {
      if ('workflow' in row) await this.#workflow(row);
      else if (row.topic === 'look') await this.#look(row);
      else if (row.topic === 'start_return') await this.#startReturn(row);
      else await this.#startOrder(row);
      await acknowledgeOutbox(pool, [row.id]);
      onHandled(row.topic, 'done');
    } catch (error) {
      const seconds = Math.min(60, 2 ** Math.min(row.attempts, 6) / 2);
      logger.warn({ err: error, ...('workflow' in row ? { workflowId: row.workflow.id } : { orderId: encodeId('ord', row.orderId) }), topic: row.topic, attempts: row.attempts }, 'outbox row postponed');
      onHandled(row.topic, 'postponed');
      await postponeOutbox(pool, row.id, seconds, error instanceof Error ? error.message : String(error))
        .catch((later: Error) => { logger.warn({ err: later }, 'outbox row keeps its lease until it ends'); });
    }
  }

  async #startOrder(row: OrderOutboxRow): Promise<void> {
    const orderId = encodeId('ord', row.orderId);
    const input: OrderInput = { v: 1, orderId };
    this.#options.underWay.started(orderId);
    await this.#start(ORDER_WORKFLOW, orderWorkflowId(orderId), input, `Order of channel ${row.channelCode}`, row);
  }

  async #startReturn(row: OrderOutboxRow): Promise<void> {
    const rma = encodeId('rma', row.returnId ?? '');
    const input: ReturnInput = { v: 1, rma };
    await this.#start(RETURN_WORKFLOW, returnWorkflowId(rma), input, `Late return of ${encodeId('ord', row.orderId)}`, row);
  }

  async #start(type: string, workflowId: string, input: OrderInput | ReturnInput, summary: string, row: OrderOutboxRow): Promise<void> {
    try {
      await this.#options.client.workflow.start(type, {
        workflowId, taskQueue: this.#options.taskQueue, args: [input], requestEagerStart: true, staticSummary: summary,
        // Both are needed: without the second a closed order would run again.
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING, workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        typedSearchAttributes: [
          { key: ChannelKey, value: row.channelCode }, { key: OrderStatusKey, value: row.status },
          ...(row.deliverBy ? [{ key: PromiseByKey, value: row.deliverBy }] : []),
        ],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  async #workflow({ topic, workflow }: WorkflowOutboxRow): Promise<void> {
    await askTemporal(this.#options.client, this.#options.taskQueue, topic, workflow);
  }

  async #look(row: OrderOutboxRow): Promise<void> {
    const workflowId = row.returnId ? returnWorkflowId(encodeId('rma', row.returnId)) : orderWorkflowId(encodeId('ord', row.orderId));
    try {
      await this.#options.client.workflow.getHandle(workflowId).signal(LOOK);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // Never started or ended. An order that is over needs nobody to look; any other one is started.
      if (row.returnId) await this.#startReturn(row);
      else if (!row.terminal) await this.#startOrder(row);
    }
  }
}

/** Starts or signals a workflow that an outbox row names. A start that has been is no error; a look begins what is not running. */
export async function askTemporal(client: Client, taskQueue: string, topic: WorkflowOutboxRow['topic'], { type, id, input }: WorkflowOutboxRow['workflow']): Promise<void> {
  const options = { workflowId: id, taskQueue, args: [input], workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING };
  try {
    if (topic === 'start_workflow') await client.workflow.start(type, { ...options, workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE });
    else await client.workflow.signalWithStart(type, { ...options, signal: LOOK, workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
