import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { createPool } from '../db/pool.ts';
import { readDecisions } from '../db/routing/decisions.ts';
import { decodeId } from '../domain/ids.ts';
import { InstanceSchema } from '../api/routing/schema.ts';
import { checkInstance } from '../domain/routing/check.ts';
import { Problem } from '../domain/problem.ts';
import type { RoutingInstance } from '../domain/routing/model.ts';
import { planOrder } from '../domain/routing/plan.ts';

const usage = `npm run route -- instance.json   (- for standard input)
npm run route -- --order ID      decides the latest routing of an order again, from what it was made from (DATABASE_URL)
Prints the cheapest plan of a routing instance, as POST /v1/routing/plan answers it. Ends with 0, 1 where a part of the order cannot be served, 2 where the instance is wrong, 3 where a decision
made again is not the same to the byte.`;

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}

function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path === '-' ? 0 : path, 'utf8'));
  } catch (error) {
    return fail(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The latest decision on an order, made again. */
async function again(order: string): Promise<number> {
  const id = decodeId('ord', order);
  const url = process.env['DATABASE_URL'];
  if (id === null) fail(`"${order}" is no order id`);
  if (url === undefined) fail('set DATABASE_URL to the database that has the order');
  const pool = createPool(url, 1);
  try {
    const decision = (await readDecisions(pool, id)).at(-1);
    if (!decision) fail(`order ${order} has not been routed`);
    const text = JSON.stringify(planOrder(decision.instance));
    console.log(JSON.stringify(JSON.parse(text), null, 2));
    const same = text === decision.planText;
    console.error(same ? `the same as was decided at ${decision.at.toISOString()}, to the byte` : `NOT the same as was decided at ${decision.at.toISOString()}`);
    return same ? 0 : 3;
  } finally {
    await pool.end();
  }
}

const path = process.argv[2];
if (path === undefined || path === '--help') {
  console.log(usage);
  process.exit(path === undefined ? 2 : 0);
}
if (path === '--order') process.exit(await again(process.argv[3] ?? ''));
const body = read(path);
const ajv = new Ajv({ allErrors: false, strict: false });
(addFormats as unknown as (a: Ajv) => void)(ajv);
if (!ajv.validate(InstanceSchema, body)) {
  const [first] = ajv.errors ?? [];
  fail(`${path}: ${first?.instancePath === '' ? 'the instance' : first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}${first?.keyword === 'additionalProperties' ? `: ${String(first.params['additionalProperty'])}` : ''}`);
}
try {
  const instance = body as RoutingInstance;
  checkInstance(instance);
  const plan = planOrder(instance);
  console.log(JSON.stringify(plan, null, 2));
  process.exitCode = plan.unallocated.length > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  fail(`${path}: ${error.field ?? ''} ${error.message}`);
}
