import { runCourier } from '../courier/run-courier.ts';
import { kuaishouWaybill } from './protocol.ts';

await runCourier(kuaishouWaybill);
