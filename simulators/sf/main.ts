import { runCourier } from '../courier/run-courier.ts';
import { sf } from './protocol.ts';

await runCourier(sf);
