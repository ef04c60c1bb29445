import serializerSelector from '@fastify/fast-json-stringify-compiler';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type * as Compilers from '../../api/plugins/compilers.ts';
import { TestApi } from '../support/api.ts';

const asked = vi.hoisted(() => ({ validators: [] as (() => unknown)[], serializers: [] as unknown[] }));
vi.mock('../../api/plugins/compilers.ts', async (original) => {
  const real = await original<typeof Compilers>();
  return {
    validatorCompiler: (route: Parameters<typeof real.validatorCompiler>[0]) => {
      const validate = real.validatorCompiler(route);
      asked.validators.push(() => validate(undefined));
      return validate;
    },
    serializerCompiler: (route: Parameters<typeof real.serializerCompiler>[0]) => {
      asked.serializers.push(route.schema);
      return real.serializerCompiler(route);
    },
  };
});

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.open();
  await api.app.ready();
});
afterAll(async () => { await api.close(); });

test('every schema of every route compiles, though none is before it is needed', () => {
  expect(asked.validators.length).toBeGreaterThan(300);
  for (const validate of asked.validators) expect(validate).not.toThrow();
  expect(asked.serializers.length).toBeGreaterThan(300);
  const compile = serializerSelector()({}, {});
  for (const schema of asked.serializers) expect(() => compile({ method: '', url: '', httpStatus: '', schema })).not.toThrow();
});
