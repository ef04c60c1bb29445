import { runPlatform } from '../platform/run-platform.ts';
import { pinduoduo } from './protocol.ts';

await runPlatform(pinduoduo);
