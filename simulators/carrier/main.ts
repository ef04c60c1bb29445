import { closeOnSignal, numberFrom, optionalText, requiredText } from '../shared/environment.ts';
import { startCarrier } from './start-carrier.ts';

// Environment: PORT, HOST, TRIBUTARY_URL, API_KEY, SECRET, CARRIER_CODE, CURRENCY, SPEED, SEED, STATE_FILE,
// ATTEMPT_FAILED_RATE, EXCEPTION_RATE, LOST_RATE.
const env = process.env;
const carrier = await startCarrier({
  port: numberFrom(env, 'PORT', 0, 0, 65_535),
  host: optionalText(env, 'HOST') ?? '127.0.0.1',
  tributaryUrl: requiredText(env, 'TRIBUTARY_URL'),
  apiKey: optionalText(env, 'API_KEY'),
  secret: requiredText(env, 'SECRET'),
  carrierCode: optionalText(env, 'CARRIER_CODE') ?? 'sim',
  currency: optionalText(env, 'CURRENCY') ?? 'CNY',
  speed: numberFrom(env, 'SPEED', 1, 0.001, 1_000_000),
  seed: optionalText(env, 'SEED') ?? '1',
  stateFile: optionalText(env, 'STATE_FILE'),
  mishaps: {
    attemptFailed: numberFrom(env, 'ATTEMPT_FAILED_RATE', 0, 0, 1),
    exception: numberFrom(env, 'EXCEPTION_RATE', 0, 0, 1),
    lost: numberFrom(env, 'LOST_RATE', 0, 0, 1),
  },
});
closeOnSignal(() => carrier.close());
console.log(`listening on ${carrier.url}`);
