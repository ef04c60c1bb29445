import type { OrderLine } from '../orders/order.ts';
import type { Tx } from '../tx.ts';

/** Units of a SKU that an order may take at a location: its own reservations and what is free there. */
export type Units = { skuId: number; locationId: number; units: number };
/** Units of a line that are to be routed. */
export type OpenLine = { line: Pick<OrderLine, 'lineNo' | 'skuId' | 'skuCode' | 'quantity'> & { priced: Pick<OrderLine['priced'], 'netAmount'> & Partial<Pick<OrderLine['priced'], 'freightShare'>> }; quantity: number };
/** A transaction, or anything else that reads at a moment. */
export type Reader = Pick<Tx, 'query' | 'now'>;
