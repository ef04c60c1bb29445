import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdConflictPolicy, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, Runtime, type Worker, type WorkerOptions } from '@temporalio/worker';
import { createCarrierTending } from '../../activities/carriers/tend.ts';
import { acknowledgeOutbox, leaseOutbox } from '../../db/outbox.ts';
import type { LocationAnswer } from '../../db/fulfillment/location-events.ts';
import type { TrackingNews } from '../../db/fulfillment/track-parcels.ts';
import type { SeedOptions } from '../../bench/seed.ts';
import { encodeId } from '../../domain/ids.ts';
import type { OrderIntake } from '../../domain/order/intake.ts';
import { createLogger } from '../../runtime/logger.ts';
import { ORDER_WORKFLOW, orderWorkflowId, RETURN_WORKFLOW, returnWorkflowId } from '../../workflows/contract/ids.ts';
import { LOOK } from '../../workflows/contract/messages.ts';
import { askTemporal } from '../../workers/relay.ts';
import { timeSkippingEnv } from './temporal.ts';
import { World, type Fulfillment } from './world.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [], telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} } } });

/** History event types by what they say of a workflow's state. */
const TASK_COMPLETED = 7;
const ACTIVITY_SCHEDULED = 10;
const ACTIVITY_ENDED = new Set([12, 13, 14, 16]);
const OVER = new Set([2, 3, 28]);
/** After the last completed task these mean that another one comes: task scheduled, started, timed out, failed, timer fired, signalled. */
const MORE_TO_COME = new Set([5, 6, 8, 9, 18, 26]);
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const DAY = 86_400 * SECOND;

/**
 * A world under a time-skipping server with one worker, and a relay that works when the test says so: a command, then `settle`, then
 * the exact outcome. Every test takes SKUs of its own, so that the stock it sees is its own.
 */
export class Scene {
  readonly environment: TestWorkflowEnvironment;
  readonly world: World;
  readonly queue: string;
  #worker: Worker;
  #running: Promise<void>;
  #sku = 0;

  private constructor(environment: TestWorkflowEnvironment, world: World, queue: string, worker: Worker) {
    this.environment = environment;
    this.world = world;
    this.queue = queue;
    this.#worker = worker;
    this.#running = worker.run();
  }

  static async open(options: Partial<SeedOptions> = {}, workerOptions: Partial<WorkerOptions> = {}): Promise<Scene> {
    const environment = await timeSkippingEnv();
    const world = await World.create({ skus: 200, ...options });
    const queue = `scene-${randomUUID()}`;
    const scene = new Scene(environment, world, queue, await world.worker(environment, queue, workerOptions));
    await scene.sync();
    return scene;
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.world.close();
    await this.environment.teardown();
  }

  async stopWorker(): Promise<void> {
    if (this.#worker.getState() === 'RUNNING') this.#worker.shutdown();
    await this.#running;
  }

  async newWorker(options: Partial<WorkerOptions> = {}): Promise<void> {
    this.#worker = await this.world.worker(this.environment, this.queue, options);
    this.#running = this.#worker.run();
  }

  /** The clock of commands is the clock of the server. */
  async sync(): Promise<void> { this.world.now = new Date(await this.environment.currentTimeMs()); }

  /** Lines over SKUs that no other test uses: 1 × 1000 and 2 × 500. With the freight of 800 each line nets 1400. */
  lines(): { sku: string; quantity: number; unitPrice: number }[] {
    return [{ sku: this.sku(), quantity: 1, unitPrice: 1000 }, { sku: this.sku(), quantity: 2, unitPrice: 500 }];
  }

  sku(): string { return `SKU-${++this.#sku}`; }

  async capture(changes: Partial<OrderIntake> = {}): Promise<string> {
    await this.sync();
    return (await this.world.capture({ lines: this.lines(), ...changes })).id;
  }

  /** Captures and lets the workflow run until it waits. */
  async order(changes: Partial<OrderIntake> = {}): Promise<string> {
    const id = await this.capture(changes);
    await this.settle(id);
    return id;
  }

  /** What the relay does: starts and looks, until the outbox is empty. */
  async pump(): Promise<void> {
    const { pool } = this.world.store;
    const { workflow } = this.environment.client;
    for (let rows = await leaseOutbox(pool, 50, 30); rows.length > 0; rows = await leaseOutbox(pool, 50, 30)) {
      for (const row of rows) {
        if ('workflow' in row) {
          await askTemporal(this.environment.client, this.queue, row.topic, row.workflow);
          await acknowledgeOutbox(pool, [row.id]);
          continue;
        }
        const orderId = encodeId('ord', row.orderId);
        const target = row.returnId === null ? { type: ORDER_WORKFLOW, id: orderWorkflowId(orderId), input: { v: 1, orderId } }
          : { type: RETURN_WORKFLOW, id: returnWorkflowId(encodeId('rma', row.returnId)), input: { v: 1, rma: encodeId('rma', row.returnId) } };
        const start = async (): Promise<void> => {
          try {
            await workflow.start(target.type, {
              workflowId: target.id, taskQueue: this.queue, args: [target.input],
              workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING, workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
            });
          } catch (error) {
            if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          }
        };
        if (row.topic !== 'look') await start();
        else {
          try {
            await workflow.getHandle(target.id).signal(LOOK);
          } catch (error) {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
            if (row.returnId !== null || !row.terminal) await start();
          }
        }
        await acknowledgeOutbox(pool, [row.id]);
      }
    }
  }

  /** True when the workflow waits (or is over): no task, no activity under way. */
  async idle(workflowId: string): Promise<boolean> {
    const { events } = await this.environment.client.workflow.getHandle(workflowId).fetchHistory();
    if (!events || events.length === 0) return false;
    const types = events.map((e) => Number(e.eventType));
    if (OVER.has(types.at(-1) as number)) return true;
    const open = types.filter((t) => t === ACTIVITY_SCHEDULED).length - types.filter((t) => ACTIVITY_ENDED.has(t)).length;
    return open === 0 && types.includes(TASK_COMPLETED) && types.slice(types.lastIndexOf(TASK_COMPLETED)).every((t) => !MORE_TO_COME.has(t));
  }

  /** Delivers the outbox and waits, in real time, until the order's workflow waits for the world. */
  async settle(orderId: string): Promise<void> { await this.settleWorkflow(orderWorkflowId(orderId)); }

  async settleWorkflow(workflowId: string): Promise<void> {
    // Longer than a workflow task may take: one that a poll has lost is handed out again.
    for (const end = Date.now() + 60_000; ;) {
      await this.pump();
      if (await this.idle(workflowId)) {
        const { left } = await this.world.one<{ left: number }>('select count(*)::int as left from outbox');
        if (left === 0) return this.sync();
      }
      if (Date.now() > end) throw new Error(`${workflowId} did not settle: ${await this.#state(workflowId)}`);
      await delay(5);
    }
  }

  /** What a workflow is at, for whoever waited in vain. */
  async #state(workflowId: string): Promise<string> {
    const handle = this.environment.client.workflow.getHandle(workflowId);
    const { raw } = await handle.describe();
    const { events } = await handle.fetchHistory();
    const { rows } = await this.world.store.pool.query('select * from outbox limit 5');
    return JSON.stringify({ pending: raw.pendingActivities, last: (events ?? []).slice(-6).map((e) => Number(e.eventType)), outbox: rows }, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));
  }

  /** Lets time pass on the server, then settles the order. */
  async skip(ms: number, orderId?: string): Promise<void> {
    await this.environment.sleep(ms);
    await this.sync();
    if (orderId !== undefined) await this.settle(orderId);
  }

  /** Skips in steps until something holds: for activities that back off and try again. */
  async until(orderId: string, holds: () => Promise<boolean> | boolean, stepMs = 20 * SECOND): Promise<void> {
    for (let i = 0; i < 600; i++) {
      await this.pump();
      if (await holds()) return this.settle(orderId);
      await this.environment.sleep(stepMs);
    }
    throw new Error(`${orderId} is ${await this.world.status(orderId)}: what was waited for did not come`);
  }

  /** A command at the server's time, then the order's workflow until it waits. */
  async run<T>(orderId: string, command: () => Promise<T>): Promise<T> {
    await this.sync();
    const result = await command();
    await this.settle(orderId);
    return result;
  }

  /** The one fulfillment order of an order that still counts. */
  async living(orderId: string): Promise<Fulfillment> {
    const living = (await this.world.fulfillments(orderId)).filter((f) => f.status !== 'rejected' && f.status !== 'cancelled');
    if (living.length !== 1) throw new Error(`${living.length} living fulfillment orders: ${JSON.stringify(living)}`);
    return living[0] as Fulfillment;
  }

  async tell(orderId: string, fulfillment: Fulfillment, event: Parameters<World['tell']>[1]): Promise<LocationAnswer> {
    return this.run(orderId, () => this.world.tell(fulfillment, event));
  }

  async issue(orderId: string, fulfillment?: Fulfillment): Promise<LocationAnswer> {
    const f = fulfillment ?? await this.living(orderId);
    return this.run(orderId, () => this.world.issue(f));
  }

  /** News of the carrier about the parcel of a fulfillment order. */
  async carrier(orderId: string, status: TrackingNews['status'], fulfillment?: Fulfillment): Promise<void> {
    const f = fulfillment ?? await this.living(orderId);
    await this.run(orderId, () => this.world.carrier(f.waybillNo ?? '', status));
  }

  /** What the worker's housekeeping does about numbers that nobody has any use for. */
  async takeBackWaybills(): Promise<void> {
    const { store, partners, raw } = this.world;
    await createCarrierTending({ ...store, http: partners.http, raw }, createLogger('test', 'silent')).settleWaybills();
  }

  /** Issued, delivered, inside its return window. */
  async delivered(changes: Partial<OrderIntake> = {}): Promise<string> {
    const id = await this.order(changes);
    await this.issue(id);
    await this.carrier(id, 'delivered');
    return id;
  }

  /** Lets the return window pass; the order must close with its workflow. */
  async closes(orderId: string): Promise<void> {
    await this.skip(2 * DAY, orderId);
    await this.environment.client.workflow.getHandle(orderWorkflowId(orderId)).result();
  }

  async historyLength(orderId: string): Promise<number> {
    return (await this.environment.client.workflow.getHandle(orderWorkflowId(orderId)).fetchHistory()).events?.length ?? 0;
  }
}
