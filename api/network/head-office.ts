import type { onRequestHookHandler } from 'fastify';
import { Problem } from '../../domain/problem.ts';

/**
 * The network and its rules are the head office's. A key bound to a location or a carrier may read them, but changes nothing: whoever could set
 * another location's partner URL would be sent its receivers.
 */
export const headOffice: onRequestHookHandler = (request, _reply, done) => {
  const bound = request.apiKey.locationId !== null || request.apiKey.carrier !== null;
  done(bound && request.routeOptions.config.scope === 'network:write' ? new Problem('forbidden', 'this key is bound to a location or carrier and cannot change the network') : undefined);
};
