import type { AddressInfo } from 'node:net';
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { FaultInjector, type Faults } from '../shared/faults.ts';
import { decodeSecret, verify } from '../shared/signing.ts';
import { TimerHeap } from '../shared/timer-heap.ts';

export type MessengersOptions = { port?: number; host?: string; seed?: string; secret: string; smsKey: { id: string; secret: string }; wecom: { corpId: string; corpSecret: string }; emailKey: string };
/** What reached a person. `key`: our id of it, where the protocol carries one. */
export type Received = { way: string; to: string; text: string; key: string | null; ref: string };
export type MessengersSimulator = { readonly url: string; readonly inbox: readonly Received[]; close(): Promise<void> };

type Sms = { phone: string; outId: string; day: string; status: number };

/**
 * Four providers that write to people, in one server: 企业微信, Alibaba Cloud SMS, Resend and the generic gateway, with signing code of its own. Numbers and names that end in 0000 refuse, in 1111 bounce later,
 * in 2222 are throttled. Faults (`PUT /_control/faults`) strike before or after the message is taken, as the shared injector throws them.
 */
export async function startMessengers(options: MessengersOptions): Promise<MessengersSimulator> {
  const heap = new TimerHeap();
  const faults = new FaultInjector(options.seed ?? '1', heap);
  const inbox: Received[] = [];
  const sms: Sms[] = [];
  const byKey = new Map<string, { status: number; body: Record<string, unknown> }>();
  const tokens = new Map<string, number>();
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const bytes = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
  const parsed = (request: FastifyRequest): Record<string, unknown> => JSON.parse(bytes(request).toString() || '{}') as Record<string, unknown>;
  const take = (way: string, to: string, text: string, key: string | null): string => {
    const ref = randomUUID();
    inbox.push({ way, to, text, key, ref });
    return ref;
  };

  // Resend: Bearer key, Idempotency-Key.
  app.post('/emails', (request, reply) => {
    if (request.headers.authorization !== `Bearer ${options.emailKey}`) return reply.status(401).send({ statusCode: 401, name: 'validation_error', message: 'API key is invalid' });
    const key = String(request.headers['idempotency-key'] ?? '');
    const body = parsed(request);
    const to = String((body['to'] as string[])[0]);
    const name = to.split('@')[0] ?? '';
    return answer(reply, `email ${key}`, () => {
      if (name.endsWith('0000')) return { status: 422, body: { statusCode: 422, name: 'validation_error', message: `${to} cannot be written to` } };
      if (name.endsWith('2222')) return { status: 429, body: { statusCode: 429, name: 'rate_limit_exceeded', message: 'slow down' }, headers: { 'retry-after': '7' } };
      const known = byKey.get(`email ${key}`);
      const made = known ?? { status: 200, body: { id: take('email', to, `${String(body['subject'])}\n${String(body['text'])}`, key) } };
      byKey.set(`email ${key}`, made);
      return made;
    });
  });
  app.get<{ Params: { id: string } }>('/emails/:id', (request) => {
    const mail = inbox.find((m) => m.ref === request.params.id);
    return { id: request.params.id, last_event: mail?.to.split('@')[0]?.endsWith('1111') === true ? 'bounced' : 'delivered' };
  });

  // Alibaba Cloud: every action at the root, signature V3 over the query.
  app.post('/', (request, reply) => {
    const query = request.query as Record<string, string>;
    if (!acsSigned(request, options.smsKey)) return reply.status(403).send({ Code: 'SignatureDoesNotMatch', Message: 'the signature does not match', RequestId: randomUUID() });
    const ok = (more: object): { status: number; body: Record<string, unknown> } => ({ status: 200, body: { Code: 'OK', Message: 'OK', RequestId: randomUUID(), ...more } });
    if (request.headers['x-acs-action'] === 'QuerySendDetails') {
      const found = sms.filter((s) => s.phone === query['PhoneNumber'] && s.day === query['SendDate']);
      const size = Number(query['PageSize']);
      const page = found.slice((Number(query['CurrentPage']) - 1) * size, Number(query['CurrentPage']) * size);
      return answer(reply, `query ${query['PhoneNumber'] ?? ''}`, () => ok({ TotalCount: String(found.length), SmsSendDetailDTOs: { SmsSendDetailDTO: page.map((s) => ({ OutId: s.outId, PhoneNum: s.phone, SendStatus: s.status, ...(s.status === 2 ? { ErrCode: 'MK:0001' } : {}) })) } }));
    }
    const phone = query['PhoneNumbers'] ?? '';
    return answer(reply, `sms ${query['OutId'] ?? ''}`, () => {
      if (phone.endsWith('0000')) return { status: 200, body: { Code: 'isv.MOBILE_NUMBER_ILLEGAL', Message: `${phone} is no number`, RequestId: randomUUID() } };
      if (phone.endsWith('2222')) return { status: 200, body: { Code: 'isv.BUSINESS_LIMIT_CONTROL', Message: 'too many', RequestId: randomUUID() } };
      const day = (request.headers['x-acs-date'] as string).slice(0, 19);
      sms.push({ phone, outId: query['OutId'] ?? '', day: new Date(Date.parse(`${day}Z`) + 28_800_000).toISOString().slice(0, 10).replaceAll('-', ''), status: phone.endsWith('1111') ? 2 : 3 });
      return ok({ BizId: take('sms', phone, `${query['TemplateCode'] ?? ''} ${query['TemplateParam'] ?? ''}`, query['OutId'] ?? null) });
    });
  });

  // 企业微信: a token for two hours, errors as errcode with status 200.
  app.get<{ Querystring: Record<string, string> }>('/cgi-bin/gettoken', (request, reply) => {
    if (request.query['corpid'] !== options.wecom.corpId || request.query['corpsecret'] !== options.wecom.corpSecret) return { errcode: 40001, errmsg: 'invalid credential' };
    return answer(reply, 'token', () => {
      const token = randomUUID();
      tokens.set(token, Date.now());
      return { status: 200, body: { errcode: 0, errmsg: 'ok', access_token: token, expires_in: 7200 } };
    });
  });
  app.post<{ Params: { what: string }; Querystring: { access_token: string } }>('/cgi-bin/externalcontact/:what', (request, reply) => {
    const body = parsed(request);
    if (!tokens.has(request.query.access_token)) return { errcode: 42001, errmsg: 'access_token expired' };
    if (request.params.what === 'get_groupmsg_send_result') {
      const message = inbox.find((m) => m.ref === body['msgid']);
      return { errcode: 0, errmsg: 'ok', send_list: message ? [{ external_userid: message.to, userid: body['userid'], status: message.to.endsWith('1111') ? 2 : 1, send_time: 0 }] : [] };
    }
    const to = String((body['external_userid'] as string[])[0]);
    return answer(reply, `wecom ${to}`, () => {
      if (to.endsWith('2222')) return { status: 200, body: { errcode: 45009, errmsg: 'reach max api daily quota limit' } };
      if (to.endsWith('0000')) return { status: 200, body: { errcode: 0, errmsg: 'ok', fail_list: [to], msgid: '' } };
      return { status: 200, body: { errcode: 0, errmsg: 'ok', fail_list: [], msgid: take('wecom', to, String((body['text'] as { content: string }).content), null) } };
    });
  });

  // The generic gateway: Standard Webhooks over the raw bytes.
  app.post('/v1/messages', (request, reply) => {
    if (!signed(request)) return reply.status(401).send({ code: 'bad_signature' });
    const { messageId, way, to, text, subject } = parsed(request) as Record<string, string>;
    return answer(reply, `generic ${messageId ?? ''}`, () => {
      if (to?.endsWith('0000') === true) return { status: 422, body: { code: 'refused', message: `${to} is no address` } };
      const made = byKey.get(`generic ${messageId ?? ''}`) ?? { status: 202, body: { ref: take(way ?? '', to ?? '', [subject, text].filter(Boolean).join('\n'), messageId ?? null) } };
      byKey.set(`generic ${messageId ?? ''}`, made);
      return made;
    });
  });
  app.get<{ Params: { id: string } }>('/v1/messages/:id', (request, reply) => {
    if (!signed(request)) return reply.status(401).send({ code: 'bad_signature' });
    const message = inbox.find((m) => m.key === request.params.id);
    if (!message) return reply.status(404).send({ code: 'not_found' });
    return message.to.endsWith('1111') ? { state: 'failed', reason: 'unreachable' } : { state: 'delivered' };
  });

  app.put('/_control/faults', (request) => {
    faults.replace(parsed(request) as Faults);
    return parsed(request);
  });
  app.get('/_control/inbox', () => ({ messages: inbox }));

  await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 });
  const key = decodeSecret(options.secret);
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, inbox,
    async close() {
      heap.close();
      await app.close();
    },
  };

  function signed(request: FastifyRequest): boolean {
    const header = (name: string): string | undefined => (typeof request.headers[name] === 'string' ? request.headers[name] : undefined);
    return verify(key, { id: header('webhook-id'), timestamp: header('webhook-timestamp'), signature: header('webhook-signature') }, bytes(request), Math.floor(Date.now() / 1000)).ok;
  }

  async function answer(reply: FastifyReply, what: string, work: () => { status: number; body: Record<string, unknown>; headers?: Record<string, string> }): Promise<FastifyReply> {
    const { status, body, headers = {} } = await faults.incoming(what, work);
    return reply.status(status).headers(headers).send(body);
  }
}

/** Signature V3 as its page describes it, over the query as it came. */
function acsSigned(request: FastifyRequest, key: { id: string; secret: string }): boolean {
  const match = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '');
  if (match?.[1] !== key.id || match[2] === undefined || match[3] === undefined) return false;
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const lines = match[2].split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('');
  const canonical = `${request.method}\n/\n${request.url.split('?')[1] ?? ''}\n${lines}\n${match[2]}\n${digest('')}`;
  const expected = createHmac('sha256', key.secret).update(`ACS3-HMAC-SHA256\n${digest(canonical)}`).digest();
  return timingSafeEqual(expected, Buffer.from(match[3], 'hex'));
}
