import { runPlatform } from '../platform/run-platform.ts';
import { genericShop } from './protocol.ts';

await runPlatform(genericShop);
