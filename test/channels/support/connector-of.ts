import { createIo } from '../../../activities/channel-sync/io.ts';
import { Limiter } from '../../../activities/channel-sync/limiter.ts';
import { readSettings } from '../../../api/channels/settings.ts';
import type { ChannelConnector, ChannelKind } from '../../../channels/channel.ts';
import { channelTokens } from '../../../db/tokens.ts';
import type { ShopScene } from './shop-scene.ts';

/** The connector of a scene's shop as the worker has it, tokens included, without the worker. `account`: other settings than the scene's. */
export async function connectorOf(scene: ShopScene, kind: ChannelKind, account: Record<string, unknown> = scene.account, timeoutMs = 300): Promise<ChannelConnector> {
  const { pool, vault } = scene.world.store;
  const { id } = await scene.world.one<{ id: number }>('select id from channels where code = $1', scene.code);
  const io = createIo({
    code: scene.code, limiter: new Limiter(kind.limits), raw: scene.world.raw, timeoutMs, now: () => scene.world.now.getTime(), connector: () => connector,
    tokens: { read: () => channelTokens.read(pool, vault, id), refresh: (beyond, next) => channelTokens.refresh(pool, vault, id, beyond, next, scene.world.now) },
  });
  const connector = kind.connect({ code: scene.code, currency: 'CNY', ...readSettings(kind, { ...account, baseUrl: scene.platform.url }, []) }, io);
  return connector;
}
