import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { askMessage } from '../../db/messages/ask.ts';
import { plainPhone, writeConsents, type ConsentInput } from '../../db/messages/consents.ts';
import { listMessages, readMessage, resendMessage } from '../../db/messages/read.ts';
import { listMessageRules, listTemplates, putMessageRule, putTemplate, type TemplateTexts } from '../../db/messages/templates.ts';
import { decodeId, encodeId } from '../../domain/ids.ts';
import { MESSAGE_STATUSES, type MessageParams as Params, type Purpose, type Way } from '../../domain/messages/message.ts';
import { Problem } from '../../domain/problem.ts';
import { unbound } from '../channels/unbound.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, OneOf, problemResponses } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';
import { AskBody, ConsentBody, MessageList, MessageParams, MessageSchema, PurposeSchema, RuleBody, RuleView, TemplateBody, TemplateView } from './schema.ts';

const tags = ['messages'];
const answers = { 200: MessageSchema, ...problemResponses };
const Key = Type.Object({ key: Code });

/** Messages to people: what became of them, their words, quiet hours, and what addresses want. */
export const messageRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { writer, pool, vault } }) => {
  app.get('/v1/messages', {
    config: { scope: 'orders:read' },
    schema: {
      summary: 'List messages', tags, description: 'Newest first, without addresses and words. `status=failed` are those that somebody must look at.',
      querystring: Type.Object({ status: Type.Optional(OneOf(MESSAGE_STATUSES)), order: Type.Optional(Type.String({ maxLength: 64 })), ...paging }, { additionalProperties: false }), response: { 200: MessageList, ...problemResponses },
    },
  }, (request) => {
    const { status = null, order, after, limit = 50 } = request.query;
    return listMessages(pool, { status, orderId: order === undefined ? null : orderIdOf(order), after: cursor('msg', after), limit, onlyLocation: request.apiKey.locationId });
  });

  app.get('/v1/messages/:id', { config: { scope: 'orders:read' }, schema: { summary: 'Read a message', tags, params: MessageParams, response: answers } },
    (request) => readMessage(pool, request.params.id, request.apiKey.locationId));

  app.post('/v1/messages/:id/resend', {
    config: { scope: 'orders:operate' },
    schema: { summary: 'Send a message that failed once more', tags, params: MessageParams, description: 'One that is out or still to go is a 409.', response: answers },
  }, async (request) => {
    const { apiKey, params: { id } } = request;
    await readMessage(pool, id, apiKey.locationId);
    await resendMessage(writer, id, actorOf(apiKey));
    return readMessage(pool, id, apiKey.locationId);
  });

  app.post('/v1/orders/:id/messages', {
    config: { scope: 'orders:operate' },
    schema: { summary: "Write to an order's buyer", tags, params: MessageParams, body: AskBody, description: 'A service message by a template. The same key again is the same message.', response: answers },
  }, async (request) => {
    const { apiKey, params: { id }, body } = request;
    const message = await askMessage(writer, id, { ...body, params: (body.params ?? {}) as Params }, actorOf(apiKey), apiKey.locationId);
    return readMessage(pool, encodeId('msg', message), apiKey.locationId);
  });

  app.get('/v1/message-templates', { config: { scope: 'network:read' }, schema: { summary: 'List the words of messages', tags, response: { 200: Type.Object({ items: Type.Array(TemplateView) }), ...problemResponses } } },
    async () => ({ items: await listTemplates(pool) as Required<{ key: string; texts: never }>[] }));

  app.put('/v1/message-templates/:key', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Set the words of a message', tags, params: Key, body: TemplateBody, description: 'All of them at once; `*` is for every way that has none of its own. Messages that wait are sent with the new words.', response: { 200: TemplateView, ...problemResponses } },
  }, async (request) => {
    const texts = Object.fromEntries(Object.entries(request.body.texts).map(([way, t]) => [way, { subject: t.subject ?? null, body: t.body, providerTemplate: t.providerTemplate ?? null }])) as TemplateTexts;
    await putTemplate(pool, request.params.key, texts);
    return { key: request.params.key, texts: texts as never };
  });

  app.get('/v1/message-rules', { config: { scope: 'network:read' }, schema: { summary: 'List quiet hours', tags, response: { 200: Type.Object({ items: Type.Array(RuleView) }), ...problemResponses } } },
    async () => ({ items: await listMessageRules(pool) }));

  app.put('/v1/message-rules/:purpose', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Set the quiet hours of a purpose', tags, params: Type.Object({ purpose: PurposeSchema }), body: RuleBody, response: { 200: RuleView, ...problemResponses } },
  }, async (request) => {
    const rule = { purpose: request.params.purpose as Purpose, quiet: request.body.quiet };
    if (!zoneExists(rule.quiet.timeZone)) throw new Problem('invalid', `"${rule.quiet.timeZone}" is no time zone; take an IANA name such as Asia/Shanghai`, '/quiet/timeZone');
    await putMessageRule(pool, rule);
    return rule;
  });

  app.post('/v1/message-consents', {
    config: { scope: 'orders:operate' }, onRequest: unbound,
    schema: { summary: 'Note what addresses want', tags, body: ConsentBody, description: 'A no is respected from the next message on; an offer needs a yes. The later word counts.', response: { 200: Type.Object({ noted: Type.Integer() }), ...problemResponses } },
  }, async (request) => {
    const { consents, source } = request.body;
    const wrong = consents.findIndex((c) => !looksRight(c.way, c.address));
    if (wrong >= 0) throw new Problem('invalid', `the address of consent ${wrong} cannot be one of ${consents[wrong]?.way ?? ''}`, `/consents/${wrong}/address`);
    await writeConsents(pool, vault, consents.map((c): ConsentInput => ({ ...c, source })), writer.clock());
    return { noted: consents.length };
  });
  return Promise.resolve();
};

function orderIdOf(order: string): string {
  const id = decodeId('ord', order);
  if (id === null) throw new Problem('invalid', `"${order}" is no order id; they begin with ord_`, '/querystring/order');
  return id;
}

function zoneExists(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function looksRight(way: Way, address: string): boolean {
  if (way === 'sms') return plainPhone(address) !== null;
  return way === 'wecom' || /^[^\s@]+@[^\s@]+$/.test(address);
}
