import { runCourier } from '../courier/run-courier.ts';
import { jdWaybill } from './protocol.ts';

await runCourier(jdWaybill);
