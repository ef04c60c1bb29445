import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { CarrierKind } from '../../carriers/carrier.ts';
import { carrierKind, carrierKinds } from '../../carriers/registry.ts';
import { AccountBook, accountState, deleteAccount, putAccount, type CarrierAccount } from '../../db/carriers/accounts.ts';
import { Problem } from '../../domain/problem.ts';
import { readSettings } from '../channels/settings.ts';
import type { ApiDeps } from '../deps.ts';
import { headOffice } from '../network/head-office.ts';
import { openResponses, problemResponses } from '../schemas/common.ts';
import { AccountBody, AccountParams, AccountsView, AccountView, CarrierKindsView } from './schema.ts';

const tags = ['carriers'];
const view = (a: CarrierAccount) => ({
  code: a.code, kind: a.kind, settings: a.settings, secretsSet: Object.keys(a.secrets).sort(), limits: a.limits, carriers: a.asks, pushPath: `/carrier-hooks/${a.code}/${a.hookKey}`,
});

/** Accounts at carriers, trackers and waybill services: how each is reached. */
export const carrierAccountRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { pool, network, vault, writer } = store;
  const book = (): AccountBook => new AccountBook(pool, vault);
  app.addHook('onRequest', headOffice);

  app.get('/v1/carrier-kinds', { config: { scope: 'network:read' }, schema: { summary: 'List the carriers, trackers and waybill services that are spoken', tags, response: { 200: CarrierKindsView, ...problemResponses } } },
    () => Promise.resolve({ items: carrierKinds.map(({ kind, name, capabilities, settings, limits }) => ({ kind, name, capabilities, settings: { type: 'object', ...settings }, limits: { ...limits } })) }));

  app.get('/v1/carrier-accounts', { config: { scope: 'network:read' }, schema: { summary: 'List accounts at carriers and trackers', tags, response: { 200: AccountsView, ...problemResponses } } },
    async () => ({ items: [...(await book().all()).values()].map(view) }));

  app.put('/v1/carrier-accounts/:code', {
    config: { scope: 'network:write' },
    schema: {
      summary: 'Connect a carrier, a tracker or a waybill service', tags, params: AccountParams, body: AccountBody, response: { 200: AccountView, ...problemResponses },
      description: 'An account that gives numbers of its own has the code of its carrier. A tracker or a platform\'s waybill service has one of its own, and its setting `carriers` says whose parcels it knows. Safe to repeat.',
    },
  }, async (request) => {
    const { code } = request.params;
    const kind = carrierKind(request.body.kind);
    if (!kind) throw new Problem('unprocessable', `nobody speaks "${request.body.kind}"; GET /v1/carrier-kinds lists those that are spoken`, '/kind');
    const old = await book().find(code);
    const { settings, secrets } = readSettings(kind, request.body.settings, old?.kind === kind.kind ? Object.keys(old.secrets) : []);
    const carriers = coverage(kind, code, settings);
    await putAccount(pool, vault, {
      code, kind: kind.kind, settings, secrets, limits: request.body.limits ?? {}, newHookKey: request.body.newAddress === true, asks: carriers, follows: kind.capabilities.subscribes ? carriers : [],
    }, writer.clock());
    return view(await book().find(code) as CarrierAccount);
  });

  /** Whose parcels it knows; every code must be a carrier of ours. */
  function coverage(kind: CarrierKind, code: string, settings: Record<string, unknown>): string[] {
    const known = (carrier: string): boolean => network.carriers.has(carrier);
    if (!kind.covers) {
      if (!known(code)) throw new Problem('unknown_carrier', `carrier "${code}" is not known; make it first with PUT /v1/carriers/${code}`, '/code');
      return [code];
    }
    const carriers = kind.covers(settings);
    const unknown = carriers.find((c) => !known(c));
    if (unknown !== undefined) throw new Problem('unknown_carrier', `carrier "${unknown}" is not known; make it first with PUT /v1/carriers/${unknown}`, '/settings/carriers');
    if (known(code)) throw new Problem('unprocessable', `"${code}" is a carrier: give this account, which tells of parcels of many, a code of its own`, '/code');
    return carriers;
  }

  app.get('/v1/carrier-accounts/:code', {
    config: { scope: 'network:read' }, schema: { summary: 'An account and how it is doing', tags, params: AccountParams, response: { 200: AccountView, ...problemResponses } },
  }, async (request) => {
    const account = await book().find(request.params.code);
    if (!account) throw new Problem('not_found', `there is no account "${request.params.code}"; make it with PUT`);
    return { ...view(account), state: await accountState(pool, account.code, writer.clock()) };
  });

  app.delete('/v1/carrier-accounts/:code', {
    config: { scope: 'network:write' }, schema: { summary: 'Forget an account', tags, params: AccountParams, response: openResponses, description: 'Its push address is deaf at once; what it gave and told stays.' },
  }, async (request, reply) => {
    if (!await deleteAccount(pool, request.params.code)) throw new Problem('not_found', `there is no account "${request.params.code}"`);
    return reply.code(204).send(null);
  });
  return Promise.resolve();
};
