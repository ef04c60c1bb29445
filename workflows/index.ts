export { order } from './order.ts';
export { lateReturn } from './late-return.ts';
