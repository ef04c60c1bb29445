import type { Call, CallAnswer } from '../../../channels/channel.ts';
import type { ShopScene } from './shop-scene.ts';

/** Calls that look so go `way` while it is on; `go`: as they would have gone. `asked`: how many there were. The worker is another process from here on. */
export function meddle(scene: ShopScene, looks: (call: Call) => boolean, way: (go: () => Promise<CallAnswer>) => Promise<CallAnswer>): { on: boolean; asked: number } {
  const gate = { on: true, asked: 0 };
  const { raw } = scene.world;
  const meddled: typeof raw = (call, timeoutMs) => {
    if (!gate.on || !looks(call)) return raw(call, timeoutMs);
    gate.asked += 1;
    return way(() => raw(call, timeoutMs));
  };
  Object.assign(scene.world, { raw: meddled });
  scene.restart();
  return gate;
}

export const answer = (body: unknown, status = 200) => (): Promise<CallAnswer> => Promise.resolve({ status, headers: {}, text: JSON.stringify(body) });
