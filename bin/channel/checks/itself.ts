import type { Capabilities, ChannelConnector } from '../../../channels/channel.ts';
import { same, want, type Check } from '../contract.ts';

/** The methods that the flags promise. */
export function promised(c: Capabilities): (keyof ChannelConnector)[] {
  return [
    ...c.push === 'stream' ? ['stream' as const] : c.push === 'none' || c.push === 'queue' ? [] : ['receive' as const], ...c.stock === 'none' ? [] : ['pushStock' as const], ...(c.stock !== 'none' && c.countsOwnSales) || c.stock === 'compare' ? ['readStock' as const] : [], ...c.shipment === 'none' ? [] : ['reportShipment' as const],
    ...c.addressChange === 'asked' ? ['answerAddressChange' as const] : [], ...c.afterSale === 'decide' ? ['answerAfterSale' as const] : [], ...c.cancel ? ['cancelOrder' as const] : [],
    ...c.push === 'queue' ? ['takeMessages' as const] : [], ...c.token === 'refresh' || c.token === 'single_use_refresh' ? ['nextToken' as const] : [],
  ];
}

/** What a platform says of itself. */
export const itself: readonly Check[] = [
  {
    title: 'its capability flags promise what its connector has', live: true,
    run: ({ connector, capabilities }) => {
      const missing = promised(capabilities).filter((name) => connector[name] === undefined);
      want(missing.length === 0, `write ${missing.join(', ')}, or say in the capability flags that the platform has no such thing`);
      return Promise.resolve();
    },
  },
  {
    title: 'its limits, windows and time-outs can be worked with', live: true,
    run: ({ kind }) => {
      want(kind.limits['*'] !== undefined, 'limits need a line for "*", any family that has none of its own');
      for (const [family, rate] of Object.entries(kind.limits)) want(rate.perSecond > 0 && rate.burst >= 1, `the limit of ${family} lets nothing through`);
      const { windowS, overlapS, everyS, lagS } = kind.backstop;
      want(windowS > overlapS && overlapS > 0 && everyS > 0 && lagS >= 0, 'backstop: windows overlap a little (overlapS > 0), and a window is longer than its overlap');
      want(kind.timeoutMs > 0 && kind.timeoutMs <= 60_000, 'timeoutMs: up to a minute');
      want(kind.capabilities.stockBatch >= 1, 'stockBatch: one SKU at least');
      return Promise.resolve();
    },
  },
  {
    title: 'secrets are settings that are kept sealed', live: true,
    run: ({ kind, shop }) => {
      const open = Object.keys(shop.settings).filter((name) => /secret|password|token|private/i.test(name) && kind.settings.properties[name]?.type === 'string');
      same('settings that look like secrets, not marked `secret: true`', open, []);
      const bare = Object.entries(kind.settings.properties).filter(([, s]) => s.description.trim() === '').map(([name]) => name);
      same('settings without a description', bare, []);
      return Promise.resolve();
    },
  },
];
