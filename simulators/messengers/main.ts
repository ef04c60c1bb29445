import { closeOnSignal, numberFrom, optionalText, requiredText } from '../shared/environment.ts';
import { startMessengers } from './start-messengers.ts';

// Environment: PORT, HOST, SEED, SECRET (whsec_…), SMS_KEY_ID, SMS_KEY_SECRET, WECOM_CORP_ID, WECOM_CORP_SECRET, EMAIL_KEY. Prints `listening on URL`.
const env = process.env;
const simulator = await startMessengers({
  port: numberFrom(env, 'PORT', 0, 0, 65_535), host: optionalText(env, 'HOST') ?? '127.0.0.1', seed: optionalText(env, 'SEED') ?? '1', secret: requiredText(env, 'SECRET'),
  smsKey: { id: optionalText(env, 'SMS_KEY_ID') ?? 'sim-key', secret: requiredText(env, 'SMS_KEY_SECRET') },
  wecom: { corpId: optionalText(env, 'WECOM_CORP_ID') ?? 'sim-corp', corpSecret: requiredText(env, 'WECOM_CORP_SECRET') }, emailKey: requiredText(env, 'EMAIL_KEY'),
});
closeOnSignal(() => simulator.close());
console.log(`listening on ${simulator.url}`);
