import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { CarrierIo, Received, Reply } from '../../carriers/carrier.ts';
import { carrierKind } from '../../carriers/registry.ts';
import { AccountBook, countCarrierRejection, type CarrierAccount } from '../../db/carriers/accounts.ts';
import { takeNews } from '../../db/carriers/take-news.ts';
import { Problem } from '../../domain/problem.ts';
import { sameText } from '../../runtime/same-text.ts';
import type { ApiDeps } from '../deps.ts';
import type { PushOutcome } from '../plugins/metrics.ts';

/** Reading a push needs nobody outside. */
const NO_IO: CarrierIo = {
  call: () => Promise.reject(new Error('a push is read without calls')), token: () => Promise.reject(new Error('a push is read without tokens')), signed: () => Promise.reject(new Error('a push is read without calls')),
  throttled: () => { throw new Error('a push is read without calls'); }, now: () => Date.now(), uuid: () => '',
};

/** Where carriers and trackers push to. The raw bytes are verified, what they tell is committed before the answer, and whatever could not be kept is asked for again in their own words. */
export const carrierHookRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { pool, vault, writer } = store;
  const book = new AccountBook(pool, vault);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });

  for (const [method, summary] of [['POST', 'A carrier or tracker pushes'], ['GET', 'A carrier or tracker asks whether the address is ours']] as const) app.route({
    method, url: '/carrier-hooks/:account/:key', config: { scope: 'public' },
    schema: {
      summary, security: [], tags: ['carriers'], params: Type.Object({ account: Type.String({ maxLength: 64 }), key: Type.String({ maxLength: 64 }) }),
      description: "Verified over the raw bytes and answered in the sender's own form. The address is given by PUT /v1/carrier-accounts/{code}.",
    },
    handler: async (request, reply) => {
      const { account: code, key } = request.params;
      const account = await book.find(code);
      const kind = account && carrierKind(account.kind);
      // A wrong address tells nothing: not whether the account exists, nor what it speaks.
      if (!account || !kind || !sameText(key, account.hookKey)) throw new Problem('not_found', 'nobody listens here');
      const { receive } = kind.connect({ code, settings: account.settings, secrets: account.secrets }, NO_IO);
      if (!receive) throw new Problem('not_found', 'nobody listens here');
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
      const { status, contentType, body } = await settle(account, receive({
        method: request.method, query: new URL(request.url, 'http://push.invalid').searchParams, headers, body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), now: writer.clock().getTime(), ip: request.ip,
      }));
      return reply.code(status).header('content-type', contentType).send(body);
    },
  });

  async function settle(account: CarrierAccount, received: Received): Promise<Reply> {
    const count = (outcome: PushOutcome): void => { app.countPush(account.kind, outcome); };
    if (received.kind === 'probe') {
      count('probe');
      return received.reply;
    }
    if (received.kind === 'rejected') {
      count(received.reason);
      await countCarrierRejection(pool, account.code, received.reason, writer.clock());
      return received.reply;
    }
    try {
      await takeNews(writer, account, received.events, received.again ?? []);
      count('accepted');
      return received.reply;
    } catch (error) {
      count('not_kept');
      app.log.error({ err: error, account: account.code }, 'tracking could not be kept: it is sent again');
      return received.failed;
    }
  }
  return Promise.resolve();
};
