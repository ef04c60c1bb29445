import { runPlatform } from '../platform/run-platform.ts';
import { douyin } from './protocol.ts';

await runPlatform(douyin);
