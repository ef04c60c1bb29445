import { closeOnSignal, numberFrom, optionalText } from '../shared/environment.ts';
import type { CourierProtocol } from './protocol.ts';
import { startCourier } from './start-courier.ts';

/** A carrier or tracker in a process of its own. Environment: PORT, HOST, SETTINGS (the account as JSON, secrets included), HOOK_URL, SPEED. Prints `listening on URL`. */
export async function runCourier(protocol: CourierProtocol): Promise<void> {
  const { env } = process;
  const hookUrl = optionalText(env, 'HOOK_URL');
  const courier = await startCourier(protocol, {
    port: numberFrom(env, 'PORT', 0, 0, 65_535), host: optionalText(env, 'HOST') ?? '127.0.0.1', speed: numberFrom(env, 'SPEED', 1, 0.001, 1_000_000),
    settings: JSON.parse(optionalText(env, 'SETTINGS') ?? '{}') as Record<string, unknown>, ...(hookUrl === undefined ? {} : { hookUrl }),
  });
  closeOnSignal(() => courier.close());
  console.log(`listening on ${courier.url}`);
}
