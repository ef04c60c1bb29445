import { closeOnSignal, numberFrom, optionalText } from '../shared/environment.ts';
import type { Protocol } from './protocol.ts';
import { startPlatform, type PlatformOptions } from './start-platform.ts';

/** A platform in a process of its own. Environment: PORT, HOST, SETTINGS (the shop account as JSON, secrets included), HOOK_URL, ITEMS (JSON), SPEED, STATE_FILE (its state, kept between runs). Prints `listening on URL`. */
export async function runPlatform(protocol: Protocol): Promise<void> {
  const env = process.env;
  const hookUrl = optionalText(env, 'HOOK_URL');
  const stateFile = optionalText(env, 'STATE_FILE');
  const platform = await startPlatform(protocol, {
    port: numberFrom(env, 'PORT', 0, 0, 65_535), host: optionalText(env, 'HOST') ?? '127.0.0.1', speed: numberFrom(env, 'SPEED', 1, 0.001, 1_000_000),
    settings: JSON.parse(optionalText(env, 'SETTINGS') ?? '{}') as Record<string, unknown>, items: JSON.parse(optionalText(env, 'ITEMS') ?? '[]') as NonNullable<PlatformOptions['items']>,
    ...(hookUrl === undefined ? {} : { hookUrl }), ...(stateFile === undefined ? {} : { stateFile }),
  });
  closeOnSignal(() => platform.close());
  console.log(`listening on ${platform.url}`);
}
