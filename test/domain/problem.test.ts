import { expect, test } from 'vitest';
import { Problem, PROBLEMS } from '../../domain/problem.ts';

test('a problem knows its status and title from the one table', () => {
  const problem = new Problem('unknown_sku', 'SKU "X" is not known', '/lines/0/sku', { sku: 'X' });
  expect({ ...problem, message: problem.message, status: problem.status, title: problem.title }).toEqual({
    name: 'Problem', code: 'unknown_sku', field: '/lines/0/sku', extra: { sku: 'X' }, message: 'SKU "X" is not known', status: 422, title: 'This SKU is not known',
  });
  expect(new Problem('internal', 'x')).toMatchObject({ field: null, extra: {} });
});

test('every code has a status of a client or server error and a title of its own', () => {
  expect(Object.entries(PROBLEMS).filter(([code, [status]]) => status < 400 || status > 599 || !/^[a-z_]+$/.test(code))).toEqual([]);
  expect(new Set(Object.values(PROBLEMS).map(([, title]) => title)).size).toBe(Object.keys(PROBLEMS).length);
});
