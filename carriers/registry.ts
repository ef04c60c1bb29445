import type { Http } from '../domain/http-port.ts';
import type { CarrierConnector } from './carrier.ts';
import { createGenericCarrier } from './generic/generic-carrier.ts';

/** The connector of a carrier. Every carrier with a base URL speaks the generic protocol until it has a folder of its own. */
export function carrierConnector(http: Http, carrier: { code: string; baseUrl: string | null }, secret: string | null): CarrierConnector | null {
  return carrier.baseUrl === null ? null : createGenericCarrier(http, carrier.baseUrl, secret);
}
