import type { Capabilities, ChannelKind } from '../../channels/channel.ts';

const yes = (value: boolean): string => (value ? 'yes' : '–');
/** A column: its head, and what stands there. */
const COLUMNS: readonly [string, (c: Capabilities) => string][] = [
  ['push', (c) => (c.push === 'none' ? '–' : `${c.push}${c.signedTime ? ' with time' : ''}`)],
  ['stock', (c) => (c.stock === 'none' ? '–' : `${c.stock}, ${c.stockBatch} a call`)],
  ['own sales', (c) => (c.countsOwnSales ? 'counted off there' : 'by our figure only')],
  ['puts back', (c) => c.restores],
  ['shipment', (c) => (c.shipment === 'none' ? '–' : c.shipment)],
  ['address change', (c) => (c.addressChange === 'none' ? '–' : c.addressChange)],
  ['after-sale', (c) => (c.afterSale === 'none' ? '–' : c.afterSale)],
  ['our cancel', (c) => yes(c.cancel)],
  ['platform ships', (c) => yes(c.platformFulfils)],
  ['sealed address', (c) => yes(c.sealedAddress)],
  ['token', (c) => c.token.replaceAll('_', ' ')],
];

/** The capability table of docs/channels.md: a row for every platform of the registry. */
export function capabilityTable(kinds: readonly ChannelKind[]): string {
  const rows = kinds.map((k) => [k.platform, k.name, ...COLUMNS.map(([, show]) => show(k.capabilities))]);
  return [['platform', 'name', ...COLUMNS.map(([head]) => head)], ['---', '---', ...COLUMNS.map(() => '---')], ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const MARKS = /(<!-- capabilities -->\n)(?:[^]*?\n)??(<!-- end -->)/;
/** The page with the table of today between its marks. Throws where the marks are gone. */
export function withTable(page: string, table: string): string {
  if (!MARKS.test(page)) throw new Error('docs/channels.md has no <!-- capabilities --> … <!-- end --> to put the table between');
  return page.replace(MARKS, (_all, before: string, after: string) => `${before}${table}\n${after}`);
}
