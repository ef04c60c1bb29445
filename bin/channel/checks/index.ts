import type { Check } from '../contract.ts';
import { itself } from './itself.ts';
import { orders } from './orders.ts';
import { outward } from './outward.ts';
import { pushes } from './pushes.ts';

/** The contract of a channel connector: what `channel -- check` and the tests over the registry run, against the simulator or (what changes nothing) a live shop. */
export const CONTRACT: readonly Check[] = [...itself, ...pushes, ...orders, ...outward];
