import type { ApiKey, Location, Network } from '../../db/network.ts';
import { Problem } from '../../domain/problem.ts';

/** The location a key may touch; another one is as unknown as none. */
export function locationFor(network: Network, key: ApiKey, code: string, field: string): Location {
  const location = network.locations.get(code);
  if (!location || (key.locationId !== null && key.locationId !== location.id)) throw new Problem(key.locationId === null ? 'unknown_location' : 'not_found', `location "${code}" is not known`, field);
  return location;
}
