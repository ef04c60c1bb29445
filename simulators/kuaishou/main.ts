import { runPlatform } from '../platform/run-platform.ts';
import { kuaishou } from './protocol.ts';

await runPlatform(kuaishou);
