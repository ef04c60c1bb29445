import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import protos from '@temporalio/proto';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import * as workflows from '../../workflows/index.ts';
import { workflowBundle } from '../../workers/bundle.ts';
import type { Stored } from './record.ts';

// Core reports every violation as a warning too; here they are wanted.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} } } });

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = new URL('histories/', import.meta.url);
const histories = new Map(readdirSync(folder).filter((f) => f.endsWith('.json')).sort()
  .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Stored]));
const typeOf = ({ history }: Stored): string | undefined => history.events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name;

/** The histories whose replay ends with an error, by name. */
async function failing(bundle: { codePath: string } | { code: string }): Promise<Map<string, Error>> {
  const failed = new Map<string, Error>();
  const results = Worker.runReplayHistories({ workflowBundle: bundle, replayName: 'replay' }, [...histories.values()].map(({ workflowId, history }) => ({ workflowId, history: protos.temporal.api.history.v1.History.fromObject(history) })));
  let seen = 0;
  for await (const { workflowId, error } of results) {
    seen++;
    const name = [...histories].find(([, h]) => h.workflowId === workflowId)?.[0] ?? workflowId;
    if (error) failed.set(name, error);
  }
  expect(seen).toBe(histories.size);
  return failed;
}

/** A bundle of a copy of the workflows with one change. */
async function changed(file: string, from: string, to: string): Promise<{ code: string }> {
  mkdirSync(join(root, '.data'), { recursive: true });
  const copy = mkdtempSync(join(root, '.data', 'replay-')); // below the root, so that packages are found
  try {
    for (const part of ['workflows', 'domain']) cpSync(join(root, part), join(copy, part), { recursive: true });
    const source = readFileSync(join(copy, file), 'utf8');
    expect(source.split(from)).toHaveLength(2);
    writeFileSync(join(copy, file), source.replace(from, to));
    return await bundleWorkflowCode({ workflowsPath: join(copy, 'workflows/index.ts'), logger: new DefaultLogger('ERROR') });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const orders = [...histories].filter(([, h]) => typeOf(h) === 'order').map(([name]) => name);

test('every stored history replays on the present workflows', async () => {
  expect([...await failing(await workflowBundle())]).toEqual([]);
});

test('every workflow has a history, and order has all its ways', () => {
  expect([...new Set([...histories.values()].map(typeOf))].sort()).toEqual(Object.keys(workflows).sort());
  expect(orders).toEqual(['order-backorder', 'order-cancel', 'order-happy', 'order-open', 'order-pickup', 'order-promise', 'order-remind', 'order-reroute', 'order-return']);
});

test.each<[string, string, string, string, string[]]>([
  ['another first activity', 'workflows/order.ts', 'let facts = await database.validate(', 'let facts = await database.reserve(', orders],
  ['an activity instead of a local one', 'workflows/order.ts', "case 'route': return database.route({ orderId });", "case 'route': return (outside as unknown as typeof database).route({ orderId });", orders.filter((name) => name !== 'order-promise')],
  ['another step by the state machine', 'domain/order/flow.ts', "return { do: 'reserve' };", "return { do: 'track' };", orders],
  ['a reminder that is not guarded', 'workflows/order.ts', "toRemind !== undefined && patched('remind')", 'toRemind !== undefined', ['order-pickup', 'order-remind']],
  ['a promise that is not guarded', 'workflows/order.ts', "promiseAt !== undefined && patched('promise')", 'promiseAt !== undefined', ['order-promise']],
  ['a timer before the call', 'workflows/late-return.ts', '    seen = looks;', '    await condition(() => false, 1000);\n    seen = looks;', ['late-return']],
  ['another order of steps', 'workflows/reconciliation.ts', 'if (facts.snapshot !== null) continue;', '', ['reconciliation']],
])('a change that breaks determinism is caught: %s', async (_, file, from, to, broken) => {
  const failed = await failing(await changed(file, from, to));
  expect([...failed.keys()].sort()).toEqual(broken);
  for (const error of failed.values()) expect(error).toBeInstanceOf(DeterminismViolationError);
});

test.each([...histories.keys()])('%s holds no personal data and nothing of a machine', (name) => {
  const text = readFileSync(new URL(`${name}.json`, folder), 'utf8');
  // Payloads are base64 in some places: look inside them too.
  const inside = [...text.matchAll(/"([A-Za-z0-9+/]{8,}={0,2})"/g)].map((m) => Buffer.from(m[1] ?? '', 'base64').toString('latin1')).join('\n');
  for (const haystack of [text, inside]) {
    for (const personal of ['Test Person', 'Example Road', '10000000001', 'Shanghai']) expect(haystack).not.toContain(personal);
    for (const place of [root, homedir(), '/home/', '/tmp/', '/root/', 'file://', 'node_modules', `@${hostname()}`]) expect(haystack).not.toContain(place);
    expect(haystack).not.toMatch(/\d+@[\w.-]+/);
  }
  expect(text.includes(`"${userInfo().username}"`)).toBe(false);
});
