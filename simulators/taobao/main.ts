import { runPlatform } from '../platform/run-platform.ts';
import { taobao } from './protocol.ts';

await runPlatform(taobao);
