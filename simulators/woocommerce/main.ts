import { runPlatform } from '../platform/run-platform.ts';
import { woocommerce } from './protocol.ts';

await runPlatform(woocommerce);
