import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { createHttp, sign } from '../../workers/http.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('sign', () => {
  it('agrees with the vector published with Standard Webhooks', () => {
    expect(sign(SECRET, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}')).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('covers the id, the time and every byte of the body, in UTF-8', () => {
    const whole = sign(SECRET, 'a', 1, '{"name":"王"}');
    expect(new Set([whole, sign(SECRET, 'b', 1, '{"name":"王"}'), sign(SECRET, 'a', 2, '{"name":"王"}'), sign(SECRET, 'a', 1, '{"name":"玉"}'), sign('whsec_AAAA', 'a', 1, '{"name":"王"}')]).size).toBe(5);
    expect(sign(SECRET.slice('whsec_'.length), 'a', 1, '{"name":"王"}')).toBe(whole);
  });
});

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

describe('createHttp', () => {
  let server: Server;
  let base: string;
  let seen: Seen[];
  let answer: (response: ServerResponse, request: IncomingMessage) => void;
  beforeEach(async () => {
    seen = [];
    answer = (response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}'); };
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk; }).on('end', () => {
        seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
        answer(response, request);
      });
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
  });

  const post = (http = createHttp(), changes: object = {}) => http({ method: 'POST', url: `${base}/v1/x`, body: { name: '王', n: 1 }, secret: SECRET, messageId: 'msg-1', ...changes });

  it('sends JSON with its signature', async () => {
    expect(await post(createHttp(10_000, () => 1_614_265_330_999))).toEqual({ status: 200, body: { ok: true } });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/v1/x', body: '{"name":"王","n":1}' });
    expect(seen[0]!.headers).toMatchObject({
      'content-type': 'application/json', accept: 'application/json', 'webhook-id': 'msg-1', 'webhook-timestamp': '1614265330',
      'webhook-signature': sign(SECRET, 'msg-1', 1_614_265_330, '{"name":"王","n":1}'),
    });
  });

  it('signs the empty body of a GET, and nothing for a partner without a secret', async () => {
    const http = createHttp(10_000, () => 1_614_265_330_000);
    await http({ method: 'GET', url: `${base}/v1/x`, secret: SECRET, messageId: 'm' });
    await http({ method: 'GET', url: `${base}/v1/x`, secret: null, messageId: 'm' });
    expect(seen.map((s) => [s.method, s.body, s.headers['webhook-signature'], s.headers['content-type']])).toEqual([
      ['GET', '', sign(SECRET, 'm', 1_614_265_330, ''), undefined], ['GET', '', undefined, undefined]]);
  });

  it.each([200, 201, 204, 400, 401, 404, 409, 422])('%i is an answer', async (status) => {
    answer = (response) => { response.writeHead(status).end(status === 204 ? undefined : '{"a":[1]}'); };
    expect(await post()).toEqual({ status, body: status === 204 ? null : { a: [1] } });
  });

  it.each([500, 502, 503, 599, 429])('%i is worth another try', async (status) => {
    answer = (response) => { response.writeHead(status).end('{}'); };
    const failure = await post().then(() => null, (error: unknown) => error);
    expect(failure).toBeInstanceOf(PartnerUnavailable);
    expect((failure as Error).message).toBe(`${new URL(base).host} answered ${status}`);
  });

  it('does not follow a redirect: the request, its address and its signature are for one partner', async () => {
    answer = (response, request) => { response.writeHead(request.url === '/v1/x' ? 307 : 200, { location: `${base}/elsewhere` }).end(); };
    expect(await post()).toEqual({ status: 307, body: null });
    expect(seen.map((s) => s.url)).toEqual(['/v1/x']);
  });

  it('an answer that is no JSON is handed on as text, cut short', async () => {
    answer = (response) => { response.writeHead(200).end(`<html>${'x'.repeat(1000)}`); };
    expect(await post()).toEqual({ status: 200, body: { text: `<html>${'x'.repeat(194)}` } });
  });

  it('waits no longer than its time limit: for the answer, and for the rest of one', async () => {
    answer = () => undefined;
    await expect(post(createHttp(50))).rejects.toThrow(new PartnerUnavailable(`${new URL(base).host} does not answer: TimeoutError`));
    answer = (response) => { response.writeHead(200).write('{"half":'); };
    await expect(post(createHttp(200))).rejects.toThrow(PartnerUnavailable);
  });

  it('a partner that hangs up or is not there is unavailable; the message says who, nothing of what was sent', async () => {
    answer = (response) => { response.destroy(); };
    const failures = [await post().catch((error: unknown) => error)];
    const { host } = new URL(base);
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
    failures.push(await post().catch((error: unknown) => error));
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(PartnerUnavailable);
      expect((failure as Error).message).toBe(`${host} does not answer: TypeError`);
    }
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  });

  it('a base address that is none is unavailable too, and named', async () => {
    await expect(createHttp()({ method: 'GET', url: 'no address', secret: null, messageId: 'm' })).rejects.toThrow(new PartnerUnavailable('"no address" does not answer: TypeError'));
  });
});
