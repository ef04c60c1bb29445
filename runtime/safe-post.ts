import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.ts';

/** `public`: https, and public addresses only; `any`: for tests and closed networks, where endpoints are the operator's own. */
export type WebhookNetwork = 'public' | 'any';
export type SafeAnswer = { status: number; retryAfter: string | null };
export type Resolve = (host: string, done: (error: Error | null, addresses: LookupAddress[]) => void) => void;

/** The address may not be called. The message is for the endpoint's owner. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** Why a URL can never be called; null: it may be, if what it resolves to is public when it is called. */
export function urlProblem(text: string, network: WebhookNetwork): string | null {
  if (!URL.canParse(text)) return 'is no URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(network === 'any' && url.protocol === 'http:')) return 'must begin with https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password';
  if (url.hash !== '') return 'must not hold a fragment';
  if (network === 'any') return null;
  const host = url.hostname;
  if (host.startsWith('[') || isIP(host) !== 0) return isPublicAddress(host) ? null : 'names an address that is not public';
  return /(^|\.)(localhost|local|internal|localdomain|home\.arpa)\.?$/.test(host) || !host.replace(/\.$/, '').includes('.') ? 'names a host that is not public' : null;
}

const resolveAll: Resolve = (host, done) => { systemLookup(host, { all: true, verbatim: true }, done); };
const MOST_ANSWER = 16_384;

/**
 * POSTs to where strangers say, without being led inside: the name is resolved once, *every* address of it must be public, and the connection goes to the address that was checked, so a name that
 * changes between check and call gains nothing. No redirect is followed, no proxy asked, the answer is read up to 16 kB, and the whole exchange ends after `timeoutMs`. Throws ForbiddenAddress, or what the network threw.
 */
export function createSafePost(network: WebhookNetwork, timeoutMs = 20_000, resolve: Resolve = resolveAll): (url: string, headers: Record<string, string>, body: string) => Promise<SafeAnswer> {
  const pinned: LookupFunction = (host, options, done) => {
    resolve(host, (error, addresses) => {
      if (error) return done(error, '', 0);
      const wrong = network === 'any' ? undefined : addresses.find((a) => !isPublicAddress(a.address));
      const [first] = addresses;
      if (wrong || !first) return done(new ForbiddenAddress(first ? 'the host resolves to an address that is not public' : 'the host resolves to nothing'), '', 0);
      if (options.all === true) (done as (error: Error | null, addresses: LookupAddress[]) => void)(null, addresses);
      else done(null, first.address, first.family);
    });
  };
  return (target, headers, body) => new Promise((fulfil, reject) => {
    const problem = urlProblem(target, network);
    if (problem !== null) {
      reject(new ForbiddenAddress(`the URL ${problem}`));
      return;
    }
    const url = new URL(target);
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST', lookup: pinned, agent: false, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, signal: AbortSignal.timeout(timeoutMs),
    }, (response) => {
      let size = 0;
      const settle = (): void => { fulfil({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null }); };
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        // Nobody reads what is longer; the status is known.
        if (size > MOST_ANSWER) { settle(); response.destroy(); }
      });
      response.on('end', settle);
      response.on('error', reject);
    });
    request.on('socket', (socket) => {
      // Whatever lies between, the other end is looked at once more before anything is written to it.
      socket.once('connect', () => { if (network !== 'any' && !isPublicAddress(socket.remoteAddress ?? '')) request.destroy(new ForbiddenAddress('the connection went to an address that is not public')); });
    });
    request.on('error', reject);
    request.end(body);
  });
}
