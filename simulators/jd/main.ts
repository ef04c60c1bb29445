import { runPlatform } from '../platform/run-platform.ts';
import { jd } from './protocol.ts';

await runPlatform(jd);
