import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generate } from '../../../bench/routing/generate.ts';
import { SCOPES } from '../../../db/api-keys.ts';
import type { RoutingInstance } from '../../../domain/routing/model.ts';
import { planOrder } from '../../../domain/routing/plan.ts';
import { TestApi } from '../../support/api.ts';
import { startNode } from '../../support/processes.ts';

let api: TestApi;
let admin: string;
let folder: string;
beforeAll(async () => {
  api = await TestApi.open();
  admin = await api.key('admin', SCOPES);
  folder = mkdtempSync(join(tmpdir(), 'route-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await api.close();
});

const INSTANCE = generate(3, 6, 20);
const broken = (change: (instance: RoutingInstance) => void): RoutingInstance => {
  const copy = structuredClone(INSTANCE);
  change(copy);
  return copy;
};
const BAD: [what: string, instance: unknown, status: number, field: string | undefined][] = [
  ['a negative weight', broken((i) => { i.policy.weights.handling = -1; }), 422, '/policy/weights/handling'],
  ['no kind of location', broken((i) => { i.policy.kinds = []; }), 422, '/policy/kinds'],
  ['a location twice', broken((i) => { i.locations.push(i.locations[0]!); }), 422, '/locations/20/code'],
  ['a line twice', broken((i) => { i.order.lines.push(i.order.lines[0]!); }), 422, `/order/lines/${INSTANCE.order.lines.length}/line`],
  ['two rates of one carrier and zone', broken((i) => { i.rates.push(i.rates[0]!); }), 422, '/rates/9'],
  ['a forced location that is not there', broken((i) => { i.order.forcedLocation = 'NONE'; }), 422, '/order/forcedLocation'],
  ['a forced carrier without a rate', broken((i) => { i.order.forcedCarrier = 'none'; }), 422, '/order/forcedCarrier'],
  ['a step of nothing', broken((i) => { i.rates[0]!.stepG = 0; }), 400, '/rates/0/stepG'],
  ['no lines', broken((i) => { i.order.lines = []; }), 400, '/order/lines'],
  ['a word too many', { ...INSTANCE, extra: 1 }, 400, '/extra'],
];

describe('POST /v1/routing/plan', () => {
  test('answers what the function answers, twice to the byte, and touches nothing', async () => {
    const before = await api.world.one('select (select count(*) from stock_movements) m, (select count(*) from orders) o');
    const bodies = await Promise.all([1, 2].map(async () => (await api.app.inject({ method: 'POST', url: '/v1/routing/plan', headers: { authorization: `Bearer ${admin}` }, payload: INSTANCE })).body));
    expect(bodies[0]).toBe(bodies[1]);
    expect(JSON.parse(bodies[0]!)).toEqual(JSON.parse(JSON.stringify(planOrder(INSTANCE))));
    expect(await api.world.one('select (select count(*) from stock_movements) m, (select count(*) from orders) o')).toEqual(before);
  });

  test('an order that nobody can serve is answered with the reasons, not with a default', async () => {
    const { status, body } = await api.call(admin, 'POST', '/v1/routing/plan', broken((i) => { i.rates = i.rates.filter((r) => r.zone === 'international'); }));
    expect([status, body['shipments'], body['reasons']]).toEqual([200, [], ['no location may serve this order', expect.stringMatching(/^nobody can serve /)]]);
  });

  test.each(BAD)('%s', async (_what, instance, status, field) => {
    const answer = await api.call(admin, 'POST', '/v1/routing/plan', instance as object);
    expect([answer.status, answer.body['field']]).toEqual([status, field]);
  });

  test('asks for a key with the scope', async () => {
    expect((await api.call(await api.key('none', ['stock:read']), 'POST', '/v1/routing/plan', INSTANCE)).status).toBe(403);
  });
});

describe('npm run route', () => {
  async function route(...args: string[]): Promise<{ code: number | null; output: string }> {
    const run = startNode('bin/route.ts', { args });
    const { code } = await run.exited;
    return { code, output: run.output() };
  }
  const file = (name: string, body: unknown): string => {
    writeFileSync(join(folder, name), typeof body === 'string' ? body : JSON.stringify(body));
    return join(folder, name);
  };

  test('prints the plan', async () => {
    const { code, output } = await route(file('good.json', INSTANCE));
    const plan = planOrder(INSTANCE);
    expect([code, JSON.parse(output)]).toEqual([plan.unallocated.length > 0 ? 1 : 0, JSON.parse(JSON.stringify(plan))]);
  });

  test('says what is wrong and where', async () => {
    expect(await route(file('bad.json', BAD[0]![1]))).toEqual({ code: 2, output: expect.stringContaining('/policy/weights/handling weight handling is -1') as string });
    expect(await route(file('shape.json', BAD[7]![1]))).toEqual({ code: 2, output: expect.stringContaining('/rates/0/stepG must be >= 1') as string });
    expect((await route(file('text.json', '{'))).code).toBe(2);
    expect((await route(join(folder, 'none.json'))).code).toBe(2);
    expect((await route()).code).toBe(2);
  });
});
