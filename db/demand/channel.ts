import type { Network } from '../network.ts';
import { TILL_CHANNEL } from './note-receipts.ts';

/** The code of a channel as demand has it: sales at shops' own tills are `till`. */
export function channelCode(network: Network, id: number): string { return network.channelById.get(id)?.code ?? (id === TILL_CHANNEL.id ? TILL_CHANNEL.code : ''); }

/** The channel that demand is asked for by code; a channel of that name goes before the tills. */
export function demandChannel(network: Network, code: string): { id: number } | undefined { return network.channels.get(code) ?? (code === TILL_CHANNEL.code ? TILL_CHANNEL : undefined); }
