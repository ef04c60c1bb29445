import { runCourier } from '../courier/run-courier.ts';
import { douyinWaybill } from './protocol.ts';

await runCourier(douyinWaybill);
