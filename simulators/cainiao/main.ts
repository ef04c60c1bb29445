import { runCourier } from '../courier/run-courier.ts';
import { cainiao } from './protocol.ts';

await runCourier(cainiao);
