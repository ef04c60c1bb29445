import { runCourier } from '../courier/run-courier.ts';
import { pinduoduoWaybill } from './protocol.ts';

await runCourier(pinduoduoWaybill);
