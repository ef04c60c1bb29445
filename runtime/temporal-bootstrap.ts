import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import protos from '@temporalio/proto';
import { connectTemporal } from './temporal-client.ts';

const { IndexedValueType } = protos.temporal.api.enums.v1;

/** The typed search attributes of order workflows (DESIGN 4). Few: Visibility is for operators, lists come from SQL. */
export const searchAttributes = {
  OrderStatus: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Channel: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  Location: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  PromiseBy: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
  HoldReason: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
} as const;

const retentionSeconds = 30 * 24 * 60 * 60;
/** gRPC status codes. */
const [invalidArgument, notFound, alreadyExists, resourceExhausted, unavailable] = [3, 5, 6, 8, 14];

const failedWith = (error: unknown, ...codes: (number | undefined)[]): boolean => isGrpcServiceError(error) && codes.includes(error.code);

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return;
  } catch (error) {
    if (!failedWith(error, notFound)) throw error;
  }
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      description: 'Tributary order management',
      workflowExecutionRetentionPeriod: { seconds: retentionSeconds as unknown as Long },
    });
  } catch (error) {
    if (!failedWith(error, alreadyExists)) throw error; // another process was faster
  }
}

/**
 * Registers what is missing of `searchAttributes`.
 * @throws Error when one exists with another type: such a namespace must be cleaned up by hand.
 */
async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing: Record<string, number> = {};
  for (const [name, type] of Object.entries(searchAttributes)) {
    const found = customAttributes[name];
    if (found === undefined) missing[name] = type;
    else if (found !== type) throw new Error(`search attribute ${name} of namespace ${namespace} has type ${IndexedValueType[found]}, not ${IndexedValueType[type]}`);
  }
  if (Object.keys(missing).length > 0) await addSearchAttributes(connection, namespace, missing);
}

/** Adds attributes without looking first: the time-skipping test server can add, but not list. Fine when they exist already. */
export async function addSearchAttributes(connection: Connection, namespace: string, attributes: Record<string, number> = searchAttributes): Promise<void> {
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: attributes });
  } catch (error) {
    if (!failedWith(error, alreadyExists)) throw error;
  }
}

/** Repeats while the server's caches have not seen a new namespace or attribute yet. */
async function untilAccepted<T>(what: string, timeoutMs: number, call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!failedWith(error, notFound, invalidArgument, resourceExhausted, unavailable)) throw error;
      if (performance.now() >= deadline) throw new Error(`${what} is not usable after ${timeoutMs / 1000} s`, { cause: error });
      await delay(200);
    }
  }
}

/**
 * Makes the namespace (30 days retention) and its search attributes where missing, and waits until both are usable.
 * May run any number of times, also at the same time. Runs before a worker starts: without the attributes tasks fail without end.
 * @param address host:port of Temporal's frontend
 * @throws TemporalUnreachable, or Error when an attribute exists with another type
 */
export async function bootstrapTemporal(address: string, namespace: string, timeoutMs = 60_000): Promise<void> {
  const connection = await connectTemporal(address, timeoutMs);
  try {
    await ensureNamespace(connection, namespace);
    await untilAccepted(`namespace ${namespace}`, timeoutMs, () => registerSearchAttributes(connection, namespace));
    const query = "OrderStatus = 'x' AND Channel = 'x' AND Location = 'x' AND HoldReason = 'x' AND PromiseBy > '2000-01-01T00:00:00Z'";
    await untilAccepted(`namespace ${namespace}`, timeoutMs, () => connection.workflowService.countWorkflowExecutions({ namespace, query }));
  } finally {
    await connection.close();
  }
}
