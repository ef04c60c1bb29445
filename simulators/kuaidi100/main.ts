import { runCourier } from '../courier/run-courier.ts';
import { kuaidi100 } from './protocol.ts';

await runCourier(kuaidi100);
