import type { onRequestHookHandler } from 'fastify';
import { Problem } from '../../domain/problem.ts';

/** A shop's orders and stock are those of every location: a key bound to one of them, or to a carrier, sees none of it. */
export const unbound: onRequestHookHandler = (request, _reply, done) => {
  done(request.apiKey.locationId !== null || request.apiKey.carrier !== null ? new Problem('forbidden', 'this key is bound to a location or carrier: shop accounts are the head office\'s') : undefined);
};
