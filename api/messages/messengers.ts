import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { listMessengers, putMessenger, type MessengerRow } from '../../db/messages/messengers.ts';
import { WAYS, type Way } from '../../domain/messages/message.ts';
import { Problem } from '../../domain/problem.ts';
import type { MessengerKind } from '../../messengers/messenger.ts';
import { messengerKind, messengerKinds } from '../../messengers/registry.ts';
import { unbound } from '../channels/unbound.ts';
import type { ApiDeps } from '../deps.ts';
import { Code, OneOf, problemResponses } from '../schemas/common.ts';

const tags = ['messages'];
const ajv = new Ajv({ strict: false, allErrors: false });
const Body = Type.Object({
  kind: OneOf(messengerKinds.map((k) => k.kind)), ways: Type.Optional(Type.Array(OneOf(WAYS), { minItems: 1, uniqueItems: true, description: 'those of its kind, if left out' })),
  settings: Type.Record(Type.String(), Type.String({ maxLength: 1_000 }), { description: "by the kind's schema; secrets that are set already need not be given again" }),
  active: Type.Optional(Type.Boolean()), priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000, description: 'the lowest goes first' })),
  perSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: 'messages a second and worker' })),
}, { additionalProperties: false });
const View = Type.Object({
  code: Type.String(), kind: Type.String(), ways: Type.Array(OneOf(WAYS)), settings: Type.Unknown(), secretsSet: Type.Array(Type.String()), active: Type.Boolean(), priority: Type.Integer(), perSecond: Type.Integer(),
});

const view = ({ secrets, updatedAt: _at, ...row }: MessengerRow): Omit<MessengerRow, 'secrets' | 'updatedAt'> & { secretsSet: string[] } => ({ ...row, secretsSet: Object.keys(secrets).sort() });

/** Settings by the kind's schema, secrets apart. Throws `invalid`, naming the setting. */
function readSettings({ name, settings: { properties, required } }: MessengerKind, given: Record<string, string>, set: readonly string[]): Pick<MessengerRow, 'settings'> & { secrets: Record<string, string> } {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(properties, key));
  if (unknown !== undefined) throw new Problem('invalid', `"${unknown}" is no setting of ${name}; its settings are ${Object.keys(properties).join(', ')}`, `/settings/${unknown}`);
  const settings: Record<string, unknown> = {};
  const secrets: Record<string, string> = {};
  for (const [key, { secret, default: fallback, description, ...schema }] of Object.entries(properties)) {
    const value = given[key] ?? fallback;
    if (value === undefined) {
      if (required.includes(key) && !(secret === true && set.includes(key))) throw new Problem('invalid', `${name} needs the setting "${key}": ${description}`, `/settings/${key}`);
      continue;
    }
    if (!ajv.validate(schema, value)) throw new Problem('invalid', `${description}: ${ajv.errors?.[0]?.message ?? 'is wrong'}`, `/settings/${key}`);
    (secret === true ? secrets : settings)[key] = value;
  }
  return { settings, secrets };
}

/** Accounts with providers that write to people. */
export const messengerRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store: { pool, vault } }) => {
  app.get('/v1/messengers', {
    config: { scope: 'network:read' }, onRequest: unbound,
    schema: { summary: 'List accounts with messengers, without their secrets', tags, response: { 200: Type.Object({ items: Type.Array(View), kinds: Type.Array(Type.Unknown()) }), ...problemResponses } },
  }, async () => ({
    items: (await listMessengers(pool, vault)).map(view), kinds: messengerKinds.map(({ kind, name, ways, repeats, settings }) => ({ kind, name, ways, repeats, settings })),
  }));

  app.put('/v1/messengers/:code', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Set an account with a messenger', tags, params: Type.Object({ code: Code }), body: Body, description: 'It counts within two seconds. The first active account of a way carries it.', response: { 200: View, ...problemResponses } },
  }, async (request) => {
    const { body, params: { code } } = request;
    const kind = messengerKind(body.kind);
    if (!kind) throw new Problem('invalid', `nobody speaks "${body.kind}"`, '/kind');
    const ways: Way[] = (body.ways as Way[] | undefined) ?? [...kind.ways];
    const foreign = ways.findIndex((w) => !kind.ways.includes(w));
    if (foreign >= 0) throw new Problem('invalid', `${kind.name} does not carry ${ways[foreign] ?? ''}`, `/ways/${foreign}`);
    const [old] = await listMessengers(pool, vault, code);
    const { settings, secrets } = readSettings(kind, body.settings, old?.kind === kind.kind ? Object.keys(old.secrets) : []);
    await putMessenger(pool, vault, { code, kind: kind.kind, ways, settings, secrets, active: body.active ?? true, priority: body.priority ?? 0, perSecond: body.perSecond ?? 10 });
    return view((await listMessengers(pool, vault, code))[0] as MessengerRow);
  });
  return Promise.resolve();
};
