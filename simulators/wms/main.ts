import { closeOnSignal, mapFrom, numberFrom, optionalText, requiredText } from '../shared/environment.ts';
import { startWms } from './start-wms.ts';

// Environment: PORT, HOST, TRIBUTARY_URL, API_KEY and/or API_KEYS ({"location": "key"}), SECRET, CARRIER_URL and/or
// CARRIER_URLS ({"carrier": "url"}), SPEED, SEED, STATE_FILE, REJECT_RATE, SHORT_RATE.
const env = process.env;
const wms = await startWms({
  port: numberFrom(env, 'PORT', 0, 0, 65_535),
  host: optionalText(env, 'HOST') ?? '127.0.0.1',
  tributaryUrl: requiredText(env, 'TRIBUTARY_URL'),
  apiKey: optionalText(env, 'API_KEY'),
  apiKeys: mapFrom(env, 'API_KEYS'),
  secret: requiredText(env, 'SECRET'),
  carrierUrl: optionalText(env, 'CARRIER_URL'),
  carrierUrls: mapFrom(env, 'CARRIER_URLS'),
  speed: numberFrom(env, 'SPEED', 1, 0.001, 1_000_000),
  seed: optionalText(env, 'SEED') ?? '1',
  stateFile: optionalText(env, 'STATE_FILE'),
  rejectRate: numberFrom(env, 'REJECT_RATE', 0, 0, 1),
  shortRate: numberFrom(env, 'SHORT_RATE', 0, 0, 1),
});
closeOnSignal(() => wms.close());
console.log(`listening on ${wms.url}`);
