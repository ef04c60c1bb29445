import { runCourier } from '../courier/run-courier.ts';
import { genericCarrier } from './protocol.ts';

await runCourier(genericCarrier);
