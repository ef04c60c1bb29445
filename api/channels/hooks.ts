import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Received, Reply } from '../../channels/channel.ts';
import { channelKind } from '../../channels/registry.ts';
import { countRejection, HintQueue } from '../../db/channels/hints.ts';
import { ShopBook, type ShopRow } from '../../db/channels/shops.ts';
import { Problem } from '../../domain/problem.ts';
import { sameText } from '../../runtime/same-text.ts';
import type { ApiDeps } from '../deps.ts';
import type { PushOutcome } from '../plugins/metrics.ts';
import { NO_IO } from './no-io.ts';

/** Where platforms push to. The raw bytes are verified, what they point at is on the disk before the answer, and everything else happens later. */
export const hookRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const book = new ShopBook(store.pool, store.network, store.vault);
  const queue = new HintQueue(store.pool, () => store.writer.clock());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });

  for (const [method, summary] of [['POST', 'A platform pushes'], ['GET', 'A platform asks whether the address is ours']] as const) app.route({
    method, url: '/hooks/:channel/:key', config: { scope: 'public' },
    schema: {
      summary, security: [], tags: ['channels'], params: Type.Object({ channel: Type.String({ maxLength: 64 }), key: Type.String({ maxLength: 64 }) }),
      description: "Verified over the raw bytes and answered in the platform's own form. The address is given by PUT /v1/channels/{code}/shop.",
    },
    handler: async (request, reply) => {
      const { channel, key } = request.params;
      const shop = await book.find(channel);
      const kind = shop && channelKind(shop.channel.platform);
      // A wrong address tells nothing: not whether the channel exists, nor what it speaks.
      if (!shop || !kind || !sameText(key, shop.hookKey)) throw new Problem('not_found', 'nobody listens here');
      const connector = kind.connect({ code: channel, currency: shop.channel.currency, settings: shop.settings, secrets: shop.secrets }, NO_IO);
      if (!connector.receive) throw new Problem('not_found', 'nobody listens here');
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]));
      const received = connector.receive({
        method: request.method, query: new URL(request.url, 'http://push.invalid').searchParams, headers, body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), now: store.writer.clock().getTime(),
      });
      const { status, contentType, body } = await settle(shop, received);
      return reply.code(status).header('content-type', contentType).send(body);
    },
  });

  async function settle(shop: ShopRow, received: Received): Promise<Reply> {
    const count = (outcome: PushOutcome): void => { app.countPush(shop.channel.platform, outcome); };
    if (received.kind === 'probe') {
      count('probe');
      return received.reply;
    }
    if (received.kind === 'rejected') {
      count(received.reason);
      await countRejection(store.pool, shop.channel.id, received.reason, store.writer.clock());
      return received.reply;
    }
    try {
      await queue.store(received.hints.map((h) => ({ ...h, channelId: shop.channel.id, channelCode: shop.channel.code })));
      count('accepted');
      return received.reply;
    } catch (error) {
      count('not_kept');
      app.log.error({ err: error, channel: shop.channel.code }, 'a push could not be kept: the platform sends it again');
      return received.failed;
    }
  }
  return Promise.resolve();
};
