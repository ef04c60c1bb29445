import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { blockEntry, deleteRule, listRules, putRule, unblockEntry, type RuleInput } from '../../db/network-admin/rules.ts';
import { validateAuditRule } from '../../domain/order/audit.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { Code, OneOf, openResponses, Text } from '../schemas/common.ts';

const tags = ['audit rules'];
const RuleBody = Type.Object({
  name: Text(100), kind: Type.String(), action: Type.String(), priority: Type.Integer({ minimum: 0, maximum: 100_000, description: 'lower runs first' }), channel: Type.Optional(Code),
  params: Type.Record(Type.String(), Type.Unknown()), active: Type.Optional(Type.Boolean()),
}, { additionalProperties: false, description: 'kind amount {min?, max?}, address {incomplete?, unknown?, unlisted?, remoteProvinces?}, remark {buyer?, seller?, words?}, duplicate {withinMinutes, by}, blocked {}, margin {minPercent}, floor {}; action pass, hold or reject' });
const Entry = { kind: OneOf(['buyer', 'phone', 'address']), value: Text(500, 1, { description: 'for an address: province|city|district|street' }) };

/** In JSON: NUL and halves of surrogate pairs, which PostgreSQL cannot hold. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i;

/** 审单: the rules that pass, hold or reject orders, and the blocked list. */
export const ruleRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { network, pool, vault } = store;
  app.addHook('onRequest', headOffice);
  const checked = (rule: RuleInput): RuleInput => {
    const [first] = validateAuditRule(rule);
    if (first !== undefined) throw new Problem('invalid', first, /^\S+/.exec(first)?.[0] ?? null);
    if (UNSTORABLE.test(JSON.stringify(rule.params))) throw new Problem('invalid', '/params holds NUL or half of a surrogate pair, which cannot be stored', '/params');
    if (rule.channel !== undefined && !network.channels.has(rule.channel)) throw new Problem('unknown_channel', `channel "${rule.channel}" is not known`, '/channel');
    return rule;
  };
  const write = async (id: number | null, rule: RuleInput): Promise<number> => {
    const written = await putRule(pool, id, checked(rule));
    if (written === 'taken') throw new Problem('conflict', `another rule is called "${rule.name}"`, '/name');
    if (written === 'missing') throw new Problem('not_found', 'no such rule');
    await network.reload();
    return written;
  };
  app.get('/v1/audit-rules', { config: { scope: 'network:read' }, schema: { summary: 'List audit rules', tags } }, async () => ({ items: await listRules(pool) }));
  app.post('/v1/audit-rules', { config: { scope: 'network:write' }, schema: { summary: 'Add an audit rule', tags, body: RuleBody, response: openResponses } }, async (request, reply) => {
    const id = await write(null, request.body as RuleInput);
    return reply.code(201).send({ id });
  });
  const params = Type.Object({ id: Type.Integer({ minimum: 1, maximum: 999_999_999 }) });
  app.put('/v1/audit-rules/:id', { config: { scope: 'network:write' }, schema: { summary: 'Change an audit rule', tags, params, body: RuleBody, response: openResponses } }, async (request) => {
    const id = await write(request.params.id, request.body as RuleInput);
    return { id };
  });
  app.delete('/v1/audit-rules/:id', { config: { scope: 'network:write' }, schema: { summary: 'Remove an audit rule', tags, params, response: openResponses } }, async (request, reply) => {
    if (!(await deleteRule(pool, request.params.id))) throw new Problem('not_found', 'no such rule');
    await network.reload();
    return reply.code(204).send(null);
  });
  app.post('/v1/blocked-entries', { config: { scope: 'network:write' }, schema: { summary: 'Block a buyer, phone or address', tags, body: Type.Object({ ...Entry, reason: Text(200) }, { additionalProperties: false }), response: openResponses } }, async (request, reply) => {
    await blockEntry(pool, vault, request.body.kind, request.body.value, request.body.reason);
    return reply.code(204).send(null);
  });
  app.delete('/v1/blocked-entries', { config: { scope: 'network:write' }, schema: { summary: 'Lift a block', tags, body: Type.Object(Entry, { additionalProperties: false }), response: openResponses } }, async (request, reply) => {
    if (!(await unblockEntry(pool, vault, request.body.kind, request.body.value))) throw new Problem('not_found', 'this is not on the list');
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};
