import { createIo } from '../../../activities/channel-sync/io.ts';
import { Limiter } from '../../../activities/channel-sync/limiter.ts';
import { readSettings } from '../../../api/channels/settings.ts';
import type { CallAnswer, ChannelConnector, ChannelKind, ShipmentCall, Token } from '../../../channels/channel.ts';
import { startPlatform, type RunningPlatform } from '../../../simulators/platform/start-platform.ts';
import { createRawHttp } from '../../../workers/http.ts';
import { accountOf, SIMULATORS } from './platforms.ts';

/** A platform's simulator and the connector that speaks to it, with nothing of ours behind it. Items P-1…4, 30 of each. `refuse`: says of a call that it never gets there. */
export class BareShop {
  readonly platform: RunningPlatform;
  readonly connector: ChannelConnector;
  /** bodies of the calls, as they were sent */
  readonly calls: string[] = [];
  refuse: (body: string) => Error | null = () => null;

  private constructor(platform: RunningPlatform, connect: (shop: BareShop) => ChannelConnector) {
    this.platform = platform;
    this.connector = connect(this);
  }

  static async open(kind: ChannelKind, given: Record<string, unknown> = {}, timeoutMs = 10_000): Promise<BareShop> {
    const simulator = SIMULATORS[kind.platform];
    if (!simulator) throw new Error(`platform ${kind.platform} has no simulator`);
    const account: Record<string, unknown> = { ...await accountOf(simulator.folder), ...given };
    let now = Date.UTC(2026, 10, 1);
    const clock = (): number => (now += 1000);
    const platform = await startPlatform(simulator.protocol, { settings: account, clock, items: [1, 2, 3, 4].map((n) => ({ sku: `P-${n}`, itemId: `900${n}`, merchantCode: `SKU-${n}`, price: 1000 * n, stock: 30 })) });
    const raw = createRawHttp();
    let token: (Token & { serial: number }) | null = null;
    return new BareShop(platform, (shop) => {
      const connector: ChannelConnector = kind.connect({ code: 'bare', currency: 'CNY', ...readSettings(kind, { ...account, baseUrl: platform.url }, []) }, createIo({
        code: 'bare', limiter: new Limiter({ '*': { perSecond: 1000, burst: 1000 } }), timeoutMs, now: () => now, connector: () => connector,
        raw: async (call, patienceMs): Promise<CallAnswer> => {
          const body = String(call.body ?? '');
          const refused = shop.refuse(body);
          if (refused) throw refused;
          shop.calls.push(body);
          return raw(call, patienceMs);
        },
        tokens: { read: () => Promise.resolve(token), refresh: async (_beyond, next) => (token = { ...await next(token), serial: (token?.serial ?? 0) + 1 }) },
      }));
      return connector;
    });
  }

  /** A parcel with these units, alone. */
  parcel(externalId: string, waybillNo: string, lines: ShipmentCall['lines'], last = false): ShipmentCall {
    const report = { externalId, key: `key-${waybillNo}`, carrier: 'sim', waybillNo, lines, shippedAt: 0, last };
    return { ...report, parcels: [report] };
  }

  close(): Promise<void> { return this.platform.close(); }
}
