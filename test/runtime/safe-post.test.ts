import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isPublicAddress } from '../../runtime/public-address.ts';
import { createSafePost, ForbiddenAddress, urlProblem, type Resolve } from '../../runtime/safe-post.ts';

let inner: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  inner = createServer((request, response) => { if (request.url === '/redirect') { response.writeHead(302, { location: `http://127.0.0.1:${port}/inner` }); } response.end(); });
  inner.on('connection', () => { connections++; });
  await new Promise<void>((resolve) => { inner.listen(0, '::', resolve); });
  port = (inner.address() as AddressInfo).port;
});
afterAll(() => { inner.close(); });

/** Every way we know to say an inner address. PORT is that of a server that listens on every local address. */
const HOSTILE = [
  ...['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '127.255.255.254', '0', '0.0.0.0', '00000000', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255',
    '192.168.0.1', '192.168.1.1', '3232235777', '0xc0a80101', '100.64.0.1', '100.100.100.200', '169.254.169.254', '0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.170.2', '192.0.0.192', '192.0.2.1', '198.18.0.1',
    '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '168.63.129.16', '127.0.0.1.', '１２７.0.0.1', '127。0。0。1',
    '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:a9fe:a9fe]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b::169.254.169.254]', '[64:ff9b:1::1]', '[2002:7f00:1::]',
    '[2002:a9fe:a9fe::]', '[2001:0:1::1]', '[fc00::1]', '[fd00:ec2::254]', '[fe80::1]', '[fec0::1]', '[ff02::1]', '[2001:db8::1]', '[100::1]', '[5f00::1]',
    'localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'metadata.google.internal', 'printer.local', 'router.home.arpa', 'postgres', 'temporal'].map((host) => `https://${host}:PORT/`),
  'http://example.com/', 'http://127.0.0.1:PORT/', 'ftp://example.com/', 'file:///etc/passwd', 'gopher://127.0.0.1:PORT/', 'https://user:pw@example.com/', 'https://127.0.0.1:PORT@[::1]:PORT/', 'https://example.com/#x', 'javascript:alert(1)', 'not a url', 'https://',
];

test(`${HOSTILE.length} hostile URLs are refused, before and when they are called, and nobody inside is connected to`, async () => {
  expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
  const post = createSafePost('public', 2_000);
  const before = connections;
  for (const text of HOSTILE) {
    const url = text.replaceAll('PORT', String(port));
    expect(urlProblem(url, 'public'), url).not.toBeNull();
    await expect(post(url, {}, '{}'), url).rejects.toThrow(ForbiddenAddress);
  }
  expect(connections).toBe(before);
});

test('names that resolve inside, one address of several, or only the second time, reach nobody', async () => {
  const before = connections;
  const to = (...addresses: string[]): Resolve => (_host, done) => { done(null, addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))); };
  for (const addresses of [['127.0.0.1'], ['93.184.216.34', '10.0.0.1'], ['::ffff:127.0.0.1'], ['::1'], ['169.254.169.254'], ['64:ff9b::7f00:1'], []]) {
    await expect(createSafePost('public', 2_000, to(...addresses))(`https://rebind.example:${port}/`, {}, '{}'), addresses.join()).rejects.toThrow(ForbiddenAddress);
  }
  // The name is asked once: what the second answer would be does not matter, for there is none.
  let asked = 0;
  const rebinding: Resolve = (_host, done) => { asked++; done(null, [{ address: asked === 1 ? '203.0.113.7' : '127.0.0.1', family: 4 }]); };
  await expect(createSafePost('public', 500, rebinding)(`https://rebind.example:${port}/`, {}, '{}')).rejects.toThrow(ForbiddenAddress);
  expect(asked).toBe(1);
  expect(connections).toBe(before);
});

test('public addresses are public', () => {
  for (const address of ['8.8.8.8', '1.1.1.1', '93.184.216.34', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '[2400:3200::1]']) expect(isPublicAddress(address), address).toBe(true);
  for (const address of ['', 'x', '2606:4700::1111%eth0', '1.2.3']) expect(isPublicAddress(address), address).toBe(false);
  expect([urlProblem('https://example.com/hook?x=1', 'public'), urlProblem('http://127.0.0.1:1/', 'any')]).toEqual([null, null]);
});

test('no redirect is followed', async () => {
  const seen = connections;
  expect(await createSafePost('any', 2_000)(`http://127.0.0.1:${port}/redirect`, {}, '{}')).toEqual({ status: 302, retryAfter: null });
  expect(connections).toBe(seen + 1);
});
