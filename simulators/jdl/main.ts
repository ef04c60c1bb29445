import { runCourier } from '../courier/run-courier.ts';
import { jdl } from './protocol.ts';

await runCourier(jdl);
