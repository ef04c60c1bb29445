import { readFile } from 'node:fs/promises';
import { startProcess, type Started } from './api.ts';
import type { Stack } from './stack.ts';

/** Folders of `simulators/` by the platform's code. */
const FOLDERS = { generic: 'generic-shop', douyin: 'douyin', shopify: 'shopify' } as const;
export type BenchPlatform = keyof typeof FOLDERS;
export type BenchItem = { sku: string; itemId: string; merchantCode: string; title: string; price: number; stock: number };
export type BenchShop = { code: string; platform: BenchPlatform; url: string; process: Started; control<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> };
export type ShopOptions = { code: string; platform: BenchPlatform; items: readonly BenchItem[]; speed?: number; limits?: Record<string, { perSecond: number; burst: number }>; settings?: Record<string, unknown> };

/** A call of our own API; throws with the answer where it is refused. */
export async function ask<T>(stack: Stack, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${stack.api.port}${path}`, {
    method, headers: { authorization: `Bearer ${stack.key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as T;
}

/** A platform's simulator in a process of its own, and our channel with its shop account there. Close `process` before the stack. */
export async function connectShop(stack: Stack, options: ShopOptions): Promise<BenchShop> {
  const folder = FOLDERS[options.platform];
  const account = { ...JSON.parse(await readFile(new URL(`../../simulators/${folder}/account.json`, import.meta.url), 'utf8')) as Record<string, unknown>, ...options.settings, timeoutMs: 10_000 };
  const process = await startProcess(`simulators/${folder}/main.ts`, { PORT: '0', SETTINGS: JSON.stringify(account), SPEED: String(options.speed ?? 1) }, /listening on http:\/\/[^:]*:(\d+)/);
  const url = `http://127.0.0.1:${process.port}`;
  const control = async <T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/_control${path}`, { method, ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) });
    if (!response.ok) throw new Error(`${options.code} ${path}: ${response.status} ${await response.text()}`);
    return await response.json() as T;
  };
  for (let i = 0; i < options.items.length; i += 1_000) await control('PUT', '/items', options.items.slice(i, i + 1_000));
  await ask(stack, 'PUT', `/v1/channels/${options.code}`, {
    name: options.code, platform: options.platform, intakeMode: 'accept', currency: 'CNY', paymentWindowS: 1800, backorderWindowS: 172_800, mergeWindowS: 0, returnWindowS: 86_400,
  });
  const shop = await ask<{ pushPath: string }>(stack, 'PUT', `/v1/channels/${options.code}/shop`, { settings: { ...account, baseUrl: url }, ...(options.limits ? { limits: options.limits } : {}) });
  await control('PUT', '/hook', { url: `http://127.0.0.1:${stack.api.port}${shop.pushPath}` });
  return { code: options.code, platform: options.platform, url, process, control };
}
