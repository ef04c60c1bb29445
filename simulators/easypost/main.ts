import { runCourier } from '../courier/run-courier.ts';
import { easypost } from './protocol.ts';

await runCourier(easypost);
