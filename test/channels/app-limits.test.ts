import { expect, test } from 'vitest';
import { createIo } from '../../activities/channel-sync/io.ts';
import { AppLimiters, Limiter } from '../../activities/channel-sync/limiter.ts';
import { kuaishou } from '../../channels/kuaishou/index.ts';

test('shops of one app share its limit, those of another app have their own, and other families none', async () => {
  const apps = new AppLimiters();
  const calls: string[] = [];
  const shop = (code: string, appKey: string) => createIo({
    code, limiter: new Limiter({ '*': { perSecond: 1e6, burst: 1e6 } }), app: apps.of('kuaishou', kuaishou.appLimits?.app({ appKey }) ?? '', { item: { perSecond: 5, burst: 3 } }), timeoutMs: 1, now: () => 0,
    raw: () => { calls.push(code); return Promise.resolve({ status: 200, headers: {}, text: '' }); },
    tokens: { read: () => Promise.resolve(null), refresh: () => Promise.reject(new Error('none')) }, connector: () => { throw new Error('none'); },
  });
  const call = (code: string, app: string, family: string): Promise<unknown> => shop(code, app).call({ family, method: 'GET', url: 'http://x' });
  const asked = ['a', 'b', 'a', 'b', 'c'].map((code) => call(code, 'one', 'item'));
  await Promise.all([...asked.slice(0, 3), call('d', 'two', 'item'), ...Array.from({ length: 5 }, () => call('e', 'one', 'order'))]);
  expect([...calls].sort()).toEqual(['a', 'a', 'b', 'd', 'e', 'e', 'e', 'e', 'e']);
  await Promise.all(asked);
  expect([...calls].sort()).toEqual(['a', 'a', 'b', 'b', 'c', 'd', 'e', 'e', 'e', 'e', 'e']);
  expect(kuaishou.appLimits?.limits).toEqual({ item: { perSecond: 100, burst: 100 } });
});
