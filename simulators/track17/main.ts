import { runCourier } from '../courier/run-courier.ts';
import { track17 } from './protocol.ts';

await runCourier(track17);
