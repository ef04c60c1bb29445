import { expect, it } from 'vitest';
import { createLogger } from '../../runtime/logger.ts';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = [];
  write(createLogger('api', 'info', { write: (line) => void lines.push(line) }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

it('censors credentials and personal fields at any depth, in lists too', () => {
  const entry = logged((logger) => {
    logger.info({ orderId: 'ord_1', headers: { Authorization: 'Bearer tk_1' }, calls: [{ body: { shipTo: { name: 'Li Lei' }, lines: [{ sku: 'A' }] } }] }, 'sent');
  });
  expect(entry).toMatchObject({
    level: 'info', name: 'api', msg: 'sent', orderId: 'ord_1', headers: { Authorization: '[redacted]' },
    calls: [{ body: { shipTo: '[redacted]', lines: [{ sku: 'A' }] } }],
  });
});

it('keeps an error without the row PostgreSQL repeats in it', () => {
  const error = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (phone)=(13800138000) already exists.', parameters: ['13800138000'] });
  const entry = logged((logger) => {
    logger.error({ err: error }, 'failed');
  });
  expect(entry['err']).toMatchObject({ type: 'Error', message: 'duplicate key', code: '23505' });
  expect(JSON.stringify(entry)).not.toContain('13800138000');
});

it('logs the path of a request without its query or headers', () => {
  const entry = logged((logger) => {
    logger.info({ req: { id: 'r1', method: 'GET', url: '/v1/orders?phone=13800138000', headers: { cookie: 'c' } } }, 'request');
  });
  expect(entry['req']).toEqual({ id: 'r1', method: 'GET', url: '/v1/orders' });
});
