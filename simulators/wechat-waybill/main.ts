import { runCourier } from '../courier/run-courier.ts';
import { wechatWaybill } from './protocol.ts';

await runCourier(wechatWaybill);
