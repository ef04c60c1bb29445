import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { capabilitiesOf, type ChannelKind } from '../../channels/channel.ts';
import { allKinds, channelKind } from '../../channels/registry.ts';
import { shopState } from '../../db/channels/read.ts';
import { putShop, ShopBook, type ShopRow } from '../../db/channels/shops.ts';
import { streamState } from '../../db/channels/streams.ts';
import type { Channel } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';
import type { ApiDeps } from '../deps.ts';
import { NO_IO } from './no-io.ts';
import { unbound } from './unbound.ts';
import { problemResponses } from '../schemas/common.ts';
import { readSettings } from './settings.ts';
import { ChannelParams, KindsView, ShopBody, ShopView } from './schema.ts';

const tags = ['channels'];

/** The connector of a channel's platform, or a problem that says what to do. */
export function kindOf(channel: Channel | undefined, code: string): { channel: Channel; kind: ChannelKind } {
  if (!channel) throw new Problem('not_found', `channel "${code}" is not known; make it with PUT /v1/channels/${code}`);
  const kind = channelKind(channel.platform);
  if (!kind) throw new Problem('unprocessable', `nobody speaks the protocol of platform "${channel.platform}"; GET /v1/channel-kinds lists those that are spoken`, '/code');
  return { channel, kind };
}

/** Whether something arrives at the address of a shop. */
function isPushed({ channel, settings }: ShopRow): boolean {
  const kind = channelKind(channel.platform);
  return kind !== null && !['stream', 'queue', 'none'].includes(capabilitiesOf(kind, settings).push);
}

const view = (shop: ShopRow): { channel: string; platform: string; settings: Record<string, unknown>; secretsSet: string[]; limits: ShopRow['limits']; pushPath: string | null } => ({
  channel: shop.channel.code, platform: shop.channel.platform, settings: shop.settings, secretsSet: Object.keys(shop.secrets).sort(), limits: shop.limits,
  pushPath: isPushed(shop) ? `/hooks/${shop.channel.code}/${shop.hookKey}` : null,
});

/** The key of the connection that a shop's messages come over; null: its platform pushes to an address of ours, or not at all. */
function streamKey(shop: ShopRow): string | null {
  const { channel, settings, secrets } = shop;
  return channelKind(channel.platform)?.connect({ code: channel.code, currency: channel.currency, settings, secrets }, NO_IO).stream?.key ?? null;
}

/** Shop accounts: how a channel's platform is reached. */
export const shopRoutes: FastifyPluginAsyncTypebox<ApiDeps> = (app, { store }) => {
  const { pool, network, vault, writer } = store;
  const book = (): ShopBook => new ShopBook(pool, network, vault);

  app.get('/v1/channel-kinds', { config: { scope: 'network:read' }, schema: { summary: 'List the platforms that are spoken', tags, response: { 200: KindsView, ...problemResponses } } },
    () => Promise.resolve({ items: allKinds.map(({ platform, name, capabilities, settings, limits }) => ({ platform, name, capabilities, settings: { type: 'object', ...settings }, limits: { ...limits } })) }));

  app.put('/v1/channels/:code/shop', {
    config: { scope: 'network:write' }, onRequest: unbound,
    schema: { summary: 'Connect a channel to its shop account', tags, params: ChannelParams, body: ShopBody, description: 'Its `channel-sync/{code}` workflow then looks after it. Safe to repeat.', response: { 200: ShopView, ...problemResponses } },
  }, async (request) => {
    const { code } = request.params;
    const { kind } = kindOf(network.channels.get(code), code);
    const old = await book().find(code);
    const { settings, secrets } = readSettings(kind, request.body.settings, Object.keys(old?.secrets ?? {}));
    await putShop(pool, vault, network, code, {
      settings, secrets, limits: request.body.limits ?? {}, since: request.body.since === undefined ? null : new Date(request.body.since), newHookKey: request.body.newAddress === true, tellsStock: capabilitiesOf(kind, settings).stock !== 'none',
    }, writer.clock());
    return view(await book().find(code) as ShopRow);
  });

  app.get('/v1/channels/:code/shop', {
    config: { scope: 'network:read' }, onRequest: unbound,
    schema: { summary: "A channel's shop account and how it is doing", tags, params: ChannelParams, response: { 200: ShopView, ...problemResponses } },
  }, async (request) => {
    const shop = await book().find(request.params.code);
    if (!shop) throw new Problem('not_found', `channel "${request.params.code}" has no shop account; make it with PUT`);
    const key = streamKey(shop);
    return { ...view(shop), state: { ...await shopState(pool, shop.channel.id, writer.clock()), ...(key === null ? {} : { stream: await streamState(pool, key) }) } };
  });
  return Promise.resolve();
};
