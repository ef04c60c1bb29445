import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { InstanceSchema } from '../api/routing/schema.ts';
import { checkInstance } from '../domain/routing/check.ts';
import { Problem } from '../domain/problem.ts';
import type { RoutingInstance } from '../domain/routing/model.ts';
import { planOrder } from '../domain/routing/plan.ts';

const usage = `npm run route -- instance.json   (- for standard input)
Prints the cheapest plan of a routing instance, as POST /v1/routing/plan answers it. Ends with 0, 1 where a part of the order cannot be served, 2 where the instance is wrong.`;

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

const path = process.argv[2];
if (path === undefined || path === '--help') {
  console.log(usage);
  process.exit(path === undefined ? 2 : 0);
}
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
