import type { AccessToken, CarrierConnector, CarrierIo, CarrierKind } from '../../carriers/carrier.ts';
import { carrierKind } from '../../carriers/registry.ts';
import { AccountBook, type CarrierAccount } from '../../db/carriers/accounts.ts';
import { carrierTokens, channelTokens } from '../../db/tokens.ts';
import type { Carrier } from '../../db/network.ts';
import { PartnerRefused, PartnerThrottled, PartnerUnavailable, retryAfterSeconds } from '../../domain/http-port.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { Limiter } from '../channel-sync/limiter.ts';
import type { ActivityDeps } from '../deps.ts';

/** A token that ends sooner is renewed before it is used. */
const RENEW_BEFORE_MS = 60_000;
const THROTTLED_MS = 1_000;
/** A longer pause is nobody's to sit out: whoever asks is told of it at once, and may ask another carrier or come again. */
const PATIENCE_MS = 1_500;
/** It is asked again after an hour, whatever it says: a slip in a header must not silence it for days. */
const LONGEST_PAUSE_MS = 3_600_000;

export type CarrierDeps = Pick<ActivityDeps, 'writer' | 'network' | 'vault' | 'http' | 'raw'>;
/** An account and the connector that speaks for it. */
export type CarrierSession = { account: CarrierAccount; kind: CarrierKind; connector: CarrierConnector };

/** Makes and keeps the sessions of a process; one is made anew when its account has changed. */
export class CarrierSessions {
  readonly #deps: CarrierDeps;
  readonly #book: AccountBook;
  readonly #known = new Map<string, { stamp: string; session: CarrierSession }>();

  constructor(deps: CarrierDeps) {
    this.#deps = deps;
    this.#book = new AccountBook(deps.writer.pool, deps.vault);
  }

  /** The session of an account; of a carrier without one, that of the generic protocol where it has an address. Null: nobody can be asked. */
  async of(code: string): Promise<CarrierSession | null> {
    const account = await this.#book.find(code) ?? this.#plain(this.#deps.network.carriers.get(code));
    const kind = account && carrierKind(account.kind);
    if (!account || !kind) return null;
    const stamp = `${account.updatedAt.getTime()}|${account.kind}|${JSON.stringify(account.settings)}|${account.secrets['secret'] ?? ''}`;
    const known = this.#known.get(code);
    if (known?.stamp === stamp) return known.session;
    const session: CarrierSession = { account, kind: { ...kind, capabilities: { ...kind.capabilities, ...kind.capable?.(account.settings) } }, connector: this.#connect(account, kind) };
    this.#known.set(code, { stamp, session });
    return session;
  }

  /**
   * Who gives the number for a parcel: the waybill service of the order's platform, where it has one for this carrier (nobody else can read the platform's addresses); else the carrier; else who gives its numbers.
   */
  async issuer(carrier: string, channel: string | null): Promise<CarrierSession | null> {
    for (const { code, asks, settings } of (await this.#book.all()).values()) {
      if (channel === null || settings['channel'] !== channel || !asks.includes(carrier)) continue;
      const session = await this.of(code);
      if (session?.kind.capabilities.waybills === 'platform') return session;
    }
    const own = await this.of(carrier);
    if (own && own.kind.capabilities.waybills !== 'none') return own;
    // An account that gives the numbers of many carriers.
    for (const { code, asks } of (await this.#book.all()).values()) {
      const session = code !== carrier && asks.includes(carrier) ? await this.of(code) : null;
      if (session?.kind.capabilities.waybills === 'own') return session;
    }
    return null;
  }

  /** Every account that is spoken for. */
  async all(): Promise<CarrierSession[]> {
    const sessions = await Promise.all([...(await this.#book.all()).keys()].map((code) => this.of(code)));
    return sessions.flatMap((s) => (s ? [s] : []));
  }

  /** Who can be asked about parcels of a carrier: the carrier itself first, then those that follow it. */
  async askedAbout(carrier: string): Promise<CarrierSession[]> {
    const codes = [carrier, ...[...(await this.#book.all()).values()].filter((a) => a.code !== carrier && a.asks.includes(carrier)).map((a) => a.code)];
    const sessions = await Promise.all(codes.map((code) => this.of(code)));
    return sessions.flatMap((s) => (s?.kind.capabilities.polls ? [s] : []));
  }

  /** A carrier that is known by its address alone speaks the generic protocol. */
  #plain(carrier: Carrier | undefined): CarrierAccount | null {
    if (!carrier || carrier.baseUrl === null) return null;
    return {
      code: carrier.code, kind: 'generic', settings: { baseUrl: carrier.baseUrl }, secrets: carrier.secret === null ? {} : { secret: this.#deps.vault.openSecret(carrier.secret) },
      hookKey: '', limits: {}, follows: [], asks: [carrier.code], updatedAt: new Date(0),
    };
  }

  /** A shop's refresh token may be used once: only the shop's own synchronisation does. */
  async #shopToken(channel: string): Promise<AccessToken> {
    const { network, writer, vault } = this.#deps;
    const id = network.channels.get(channel)?.id;
    const token = id === undefined ? null : await channelTokens.read(writer.pool, vault, id);
    if (token === null || token.expiresAt <= writer.clock().getTime()) throw new PartnerUnavailable(`the shop "${channel}" has no valid access token: its synchronisation renews it`);
    return token;
  }

  #connect(account: CarrierAccount, kind: CarrierKind): CarrierConnector {
    const { writer, vault, raw, http } = this.#deps;
    const { code } = account;
    const limiter = new Limiter({ ...kind.limits, ...account.limits });
    const own = account.settings['timeoutMs'];
    const throttled = (family: string, ms: number): PartnerThrottled => {
      const pause = Math.min(ms, LONGEST_PAUSE_MS);
      limiter.pause(family, pause);
      return new PartnerThrottled(`${code} wants fewer calls of ${family}`, pause);
    };
    const io: CarrierIo = {
      now: () => writer.clock().getTime(),
      uuid: uuidv7,
      signed: http,
      call: async (call) => {
        const paused = await limiter.take(call.family, PATIENCE_MS);
        if (paused > 0) throw new PartnerThrottled(`${code} wants fewer calls of ${call.family}`, paused);
        const answer = await raw(call, typeof own === 'number' ? own : kind.timeoutMs);
        if (answer.status === 429) throw throttled(call.family, (retryAfterSeconds(answer.headers['retry-after'], writer.clock().getTime()) ?? 0) * 1000 || THROTTLED_MS);
        if (answer.status >= 500) throw new PartnerUnavailable(`${code} answered ${answer.status} for ${call.family}`);
        return answer;
      },
      throttled,
      token: async (beyond) => {
        if (kind.capabilities.token === 'shop') return this.#shopToken(String(account.settings['channel']));
        const last = await carrierTokens.read(writer.pool, vault, code);
        if (last !== null && last.expiresAt > writer.clock().getTime() + RENEW_BEFORE_MS && last.serial !== beyond) return last;
        const { nextToken } = connector;
        if (!nextToken) throw new PartnerRefused(401, `the access token of ${code} is missing or no longer valid, and it gives no new one: set it anew`);
        return carrierTokens.refresh(writer.pool, vault, code, last?.serial ?? null, (old) => nextToken.call(connector, old), writer.clock());
      },
    };
    const connector = kind.connect({ code, settings: account.settings, secrets: account.secrets }, io);
    return connector;
  }
}
