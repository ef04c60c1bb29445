import { runPlatform } from '../platform/run-platform.ts';
import { shopify } from './protocol.ts';

await runPlatform(shopify);
