import { runPlatform } from '../platform/run-platform.ts';
import { wechat } from './protocol.ts';

await runPlatform(wechat);
