import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { ALERT_STATUSES, acknowledgeAlert, alertUuid, snoozeAlert } from '../../db/slow-movers/alert.ts';
import { dropRule, listRules, putRule, readSlowMoverState, requestEvaluation, setSlowMoverPolicy, type SlowMoverPolicy } from '../../db/slow-movers/policy.ts';
import { listAlerts, readAlert, topAlerts } from '../../db/slow-movers/read.ts';
import { Problem } from '../../domain/problem.ts';
import { SEVERITIES } from '../../domain/slow-movers/assess.ts';
import { RULE_KINDS, RULE_NAMES } from '../../domain/slow-movers/rules.ts';
import type { ApiDeps } from '../deps.ts';
import { actorOf } from '../plugins/auth.ts';
import { Code, Minor, Nullable, OneOf, openResponses, Reason, Text, Timestamp } from '../schemas/common.ts';
import { cursor, paging } from '../schemas/paging.ts';

const tags = ['slow movers'];
const response = openResponses;
const closed = { additionalProperties: false } as const;
const params = Type.Object({ id: Type.String({ maxLength: 64 }) });
const kindParams = Type.Object({ kind: OneOf(RULE_NAMES) });
const numbers = Object.entries(RULE_KINDS).map(([kind, p]) => `${kind}: ${Object.entries(p).map(([n, v]) => `${n} ${v}`).join(', ')}`).join('; ');
const RuleBody = Type.Object({
  category: Type.Optional(Nullable(Text(100))), enabled: Type.Boolean(), params: Type.Optional(Type.Record(Type.String({ maxLength: 40 }), Type.Integer(), { description: `numbers and their defaults: ${numbers}` })),
}, closed);
const PolicyBody = Type.Object({
  everyS: Type.Integer({ minimum: 3600, maximum: 31_536_000, description: 'seconds between evaluations' }), mediumFrom: Minor, highFrom: Minor,
  seasonDays: Type.Integer({ minimum: 1, maximum: 1_000, description: 'days left of a SKU whose season end nobody gave' }),
}, closed);

/** Slow-mover warning (滞销预警): alerts with their evidence, and the rules that raise them. The head office's: a key that is bound to a location is refused. */
export const slowMoverRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, writer } }) => {
  app.addHook('preHandler', (request, _reply, done) => {
    done(request.apiKey.locationId === null ? undefined : new Problem('forbidden', 'this key is bound to a location: slow movers are the head office\'s'));
  });
  const read = { scope: 'stock:read' } as const;
  const write = { scope: 'stock:write' } as const;

  app.get('/v1/slow-movers/alerts', {
    config: read,
    schema: {
      summary: 'List alerts, the newest first', tags, response, description: 'Without a status: those that are not closed.',
      querystring: Type.Object({ ...paging, status: Type.Optional(OneOf(ALERT_STATUSES)), severity: Type.Optional(OneOf(SEVERITIES)), sku: Type.Optional(Code), category: Type.Optional(Text(100)), country: Type.Optional(Text(2, 2)), region: Type.Optional(Text(60)) }, closed),
    },
  }, async (request) => {
    const { after, limit = 50, status = null, severity = null, sku = null, category = null, country = null, region = null } = request.query;
    const items = await listAlerts(pool, { status, severity, sku, category, country, region, before: cursor('alr', after), limit });
    return { items, next: items.length === limit ? items.at(-1)?.id ?? null : null };
  });

  app.get('/v1/slow-movers/top', {
    config: read, schema: { summary: 'Alerts with most money at risk', tags, response, querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 20 })) }, closed), description: 'Not closed and not snoozed.' },
  }, async (request) => ({ items: await topAlerts(pool, request.query.limit ?? 20) }));

  app.get('/v1/slow-movers/alerts/:id', { config: read, schema: { summary: 'Read an alert and its timeline', tags, params, response } }, (request) => readAlert(pool, alertUuid(request.params.id)));

  app.post('/v1/slow-movers/alerts/:id/acknowledge', {
    config: write, schema: { summary: 'Acknowledge an alert', tags, params, response, body: Type.Object({ note: Type.Optional(Text(500)) }, closed), description: 'Somebody has seen it. Again: no change.' },
  }, async (request) => {
    const uuid = alertUuid(request.params.id);
    await acknowledgeAlert(writer, uuid, request.body.note ?? null, actorOf(request.apiKey));
    return readAlert(pool, uuid);
  });

  app.post('/v1/slow-movers/alerts/:id/snooze', {
    config: write, schema: { summary: 'Snooze an alert until a date', tags, params, response, body: Type.Object({ until: Timestamp, reason: Reason }, closed), description: 'The first evaluation after that date opens it again, if its cause is still there.' },
  }, async (request) => {
    const uuid = alertUuid(request.params.id);
    await snoozeAlert(writer, uuid, new Date(request.body.until), request.body.reason, actorOf(request.apiKey));
    return readAlert(pool, uuid);
  });

  app.post('/v1/slow-movers/evaluations', {
    config: write, schema: { summary: 'Look at everything now', tags, response, description: 'Answers at once; several wishes are one evaluation. What came of it: `GET /v1/slow-movers/policy`.' },
  }, async (_request, reply) => reply.code(201).send(await requestEvaluation(writer)));

  app.get('/v1/slow-movers/policy', { config: read, schema: { summary: 'Read when everything is looked at, and what came of it', tags, response } }, () => readSlowMoverState(pool));
  app.put('/v1/slow-movers/policy', { config: write, schema: { summary: 'Set when everything is looked at', tags, body: PolicyBody, response } }, async (request) => {
    await setSlowMoverPolicy(writer, request.body as SlowMoverPolicy);
    return readSlowMoverState(pool);
  });

  app.get('/v1/slow-movers/rules', { config: read, schema: { summary: 'List the rules in force', tags, response, description: 'Those for all, then those of single categories.' } }, async () => ({ items: await listRules(pool) }));
  app.put('/v1/slow-movers/rules/:kind', {
    config: write, schema: { summary: 'Set a rule', tags, params: kindParams, body: RuleBody, response, description: 'For all categories, or for one, where it takes the place of that for all. From the next evaluation on.' },
  }, (request) => {
    const { category = null, enabled, params: given = {} } = request.body;
    return putRule(writer, { kind: request.params.kind, category, enabled, params: given }, actorOf(request.apiKey));
  });
  app.delete('/v1/slow-movers/rules/:kind', {
    config: write, schema: { summary: 'Drop a category\'s own rule', tags, params: kindParams, response, querystring: Type.Object({ category: Text(100) }, closed) },
  }, async (request, reply) => {
    await dropRule(writer, request.params.kind, request.query.category);
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};
