import { addressKey } from '../../../domain/channel/next-steps.ts';
import type { SeenOrder } from '../../../domain/channel/seen-order.ts';
import { same, thrown, want, type Check } from '../contract.ts';
import { Fault } from '../fault.ts';
import type { Rig } from '../rig.ts';

/** calls under way with one token */
const AT_ONCE = 8;
const LINE = [{ sku: 'P-1', quantity: 1 }];

export async function read(rig: Rig, id: string, topics: readonly string[] = []): Promise<SeenOrder> {
  const seen = await rig.connector.fetchOrder(id, topics);
  if (!seen) throw new Fault(`fetchOrder gave null for order ${id}, which is there`);
  return seen;
}

/** All orders that a window lists, its pages followed to the end. */
async function listed(rig: Rig, from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  const { windowS } = rig.kind.backstop;
  for (let at = from; at < to; at += windowS * 1000) {
    let page: string | null = null;
    for (let n = 0; ; n++) {
      const { orders, next } = await rig.connector.changedOrders({ from: at, to: Math.min(to, at + windowS * 1000) }, page);
      ids.push(...orders.map((o) => o.externalId));
      if (next === null) break;
      want(n < 1000, 'changedOrders never comes to an end: `next` is null after the last page');
      page = next;
    }
  }
  return ids;
}

/** An order as it must look whatever the platform. */
function wellFormed(seen: SeenOrder): void {
  want(seen.lines.length > 0, 'the order has no lines');
  for (const l of seen.lines) {
    want(l.lineId !== '' && l.platformSku !== '' && Number.isSafeInteger(l.quantity) && l.quantity > 0, `a line has no id, SKU or quantity: ${JSON.stringify(l)}`);
    want(Number.isSafeInteger(l.unitPrice) && l.unitPrice >= 0 && l.discounts.every((d) => Number.isSafeInteger(d.amount)), `money is in whole minor units: ${l.unitPrice}`);
  }
  want(Number.isSafeInteger(seen.freight) && Number.isSafeInteger(seen.version) && seen.version > 0, 'freight is in whole minor units, and the version a number that grows');
  want(/^[A-Z]{3}$/.test(seen.currency), `the currency is three letters, not "${seen.currency}"`);
  want(seen.orderedAt > 1_000_000_000_000 && (seen.paidAt === null || seen.paidAt > 1_000_000_000_000), 'times are milliseconds since 1970');
}

/** Orders: read by API, mapped to ours, found by the poll. */
export const orders: readonly Check[] = [
  {
    title: 'an order is read with its lines, its money in minor units and its receiver',
    async run(rig) {
      const placed = rig.place({ lines: [{ sku: 'P-1', quantity: 2, unitPrice: 1599 }, { sku: 'P-2', quantity: 1 }], freight: 800 });
      const seen = await read(rig, placed.id);
      wellFormed(seen);
      same('id', seen.externalId, placed.id);
      same('status', seen.status, 'to_ship');
      same('lines', seen.lines.map((l) => [l.platformSku, l.quantity, l.unitPrice]), placed.lines.map((l) => [l.sku, l.quantity, l.unitPrice]));
      same('line ids that are not told apart', seen.lines.length - new Set(seen.lines.map((l) => l.lineId)).size, 0);
      same('merchant codes', seen.lines.map((l) => l.merchantCode), ['SKU-1', 'SKU-2']);
      same('freight', seen.freight, 800);
      if (rig.kind.currencies === 'named') same('currency', seen.currency, placed.currency);
      want(seen.paidAt !== null, 'it is paid, but paidAt is null');
      want(seen.address !== null && (rig.capabilities.sealedAddress || (seen.address.name !== '' && seen.address.street !== '')), 'it shows no receiver');
      want(seen.address.city !== '', 'its address names no city');
      if (rig.capabilities.sealedAddress) want(seen.address.sealed !== undefined || seen.address.token !== undefined, 'encrypted receiver data must stay with the address (sealed, token)');
    },
  },
  {
    title: 'its status follows the buyer, and its version grows with it',
    async run(rig) {
      const { id } = rig.place({ lines: LINE, paid: false });
      const hidden = rig.capabilities.showsUnpaid === false;
      if (hidden) same('an order that is not paid', await rig.connector.fetchOrder(id, []), null);
      const unpaid = hidden ? null : await read(rig, id);
      rig.advance(2);
      rig.platform.shop.pay(id);
      const paid = await read(rig, id);
      rig.advance(2);
      rig.platform.shop.cancel(id);
      const cancelled = await read(rig, id);
      same('status', [unpaid?.status ?? 'unpaid', paid.status, cancelled.status], ['unpaid', 'to_ship', 'cancelled']);
      same('paid', [(unpaid?.paidAt ?? null) === null, paid.paidAt === null], [true, false]);
      want((unpaid?.version ?? 0) < paid.version && paid.version < cancelled.version, `versions must grow: ${unpaid?.version ?? 0}, ${paid.version}, ${cancelled.version}`);
    },
  },
  {
    title: 'an order that it does not have is no error that is tried again without end', live: true,
    async run({ connector }) {
      const seen = await connector.fetchOrder('1000000000000000001', []).catch((error: unknown) => {
        if ((error as Error).name === 'PartnerRefused') return null;
        throw error;
      });
      want(seen === null, 'fetchOrder gave an order for an id that nobody has');
    },
  },
  {
    title: 'the poll lists every order that has changed, page after page, none twice beyond reason and none missing',
    async run(rig) {
      rig.platform.faults.dropPushes = true;
      const { lagS, windowS } = rig.kind.backstop;
      for (const item of rig.platform.shop.items.values()) item.stock = 10_000;
      const from = rig.now() - 1000;
      const placed = Array.from({ length: 205 }, () => rig.place({ lines: LINE }).id);
      rig.advance(lagS + 2);
      const to = Math.min(rig.now() - lagS * 1000, from + windowS * 1000);
      const ids = await listed(rig, from, to);
      same('orders that the poll has missed', placed.filter((id) => !ids.includes(id)).length, 0);
      want(ids.length <= 2 * placed.length, `${placed.length} orders were listed ${ids.length} times`);
      rig.advance(3600 + lagS);
      rig.platform.shop.cancel(placed[0] ?? '');
      rig.advance(lagS + 2);
      same('orders listed after one of them changed', [...new Set(await listed(rig, rig.now() - (lagS + 60) * 1000, rig.now() - lagS * 1000))], [placed[0]]);
    },
  },
  {
    title: 'the poll of the last day works, and what it lists can be read', live: 'only',
    async run(rig) {
      const to = rig.now() - rig.kind.backstop.lagS * 1000;
      const ids = [...rig.orders, ...await listed(rig, to - 86_400_000, to)].slice(0, 5);
      for (const id of ids) wellFormed(await read(rig, id));
    },
  },
  {
    title: 'another address is seen as another', applies: (c) => c.addressChange !== 'none',
    async run(rig) {
      const { id } = rig.place({ lines: LINE });
      const before = await read(rig, id);
      rig.advance(2);
      const asked = rig.capabilities.addressChange === 'asked';
      rig.platform.shop.changeAddress(id, { city: 'Ningbo', street: '2 Other Road' }, asked);
      const topics = [...new Set((await rig.news()).map((h) => h.topic))];
      const seen = await read(rig, id, topics);
      want(asked ? seen.wantedAddress !== null : addressKey(seen) !== addressKey(before), asked ? 'the buyer asks for another address, and wantedAddress is null' : 'the address has changed, and it looks as before');
      if (!asked) return;
      const { answerAddressChange } = rig.connector;
      await answerAddressChange?.call(rig.connector, id, true, 'contract-address');
      same('the address that the platform has after we have agreed', [rig.platform.shop.order(id).addressAnswer, rig.platform.shop.order(id).address.city], [true, 'Ningbo']);
      want(addressKey(await read(rig, id)) !== addressKey(before), 'the address has changed, and it looks as before');
    },
  },
  {
    title: 'an after-sale is seen with its kind, its units and how far it is', applies: (c) => c.afterSale !== 'none',
    async run(rig) {
      const placed = rig.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
      const made = rig.platform.shop.openAfterSale(placed.id, { kind: 'refund' });
      if (rig.capabilities.afterSale === 'told') rig.platform.shop.moveAfterSale(made.id, 'done', 'platform');
      const seen = await read(rig, placed.id);
      const own = seen.afterSales.find((a) => a.id === made.id);
      // Where the whole order was given back and nothing has left, the platform may simply show it as cancelled.
      if (!own && seen.status === 'cancelled') return;
      if (!own) throw new Fault(`the order shows no after-sale ${made.id}`);
      same('after-sale', [own.kind, own.status], ['refund', rig.capabilities.afterSale === 'told' ? 'done' : 'requested']);
      if (rig.capabilities.afterSale !== 'decide') return;
      const { answerAfterSale } = rig.connector;
      await answerAfterSale?.call(rig.connector, placed.id, made.id, { approved: true, reason: 'agreed' }, 'contract-after-sale');
      same('the after-sale at the platform after we have agreed', rig.platform.shop.afterSale(made.id).afterSale.status, 'agreed');
    },
  },
  {
    title: "an order that the platform's own warehouse ships is seen as such", applies: (c) => c.platformFulfils,
    async run(rig) {
      const { id } = rig.place({ lines: LINE, fulfilledBy: 'platform' });
      same('fulfilledBy', (await read(rig, id)).fulfilledBy, 'platform');
      rig.advance(2);
      rig.platform.shop.ship(id, { key: 'own', carrier: 'sim', number: 'PW-1', lines: null });
      const seen = await read(rig, id);
      same('status and parcels once it has left there', [seen.status, seen.parcels.map((p) => p.number)], ['shipped', ['PW-1']]);
    },
  },
  {
    title: 'a failing platform is tried again later, never taken for an empty one',
    async run(rig) {
      const { id } = rig.place({ lines: LINE });
      await read(rig, id);
      rig.platform.faults.down = true;
      same('what is thrown while it is down', (await thrown('fetchOrder must throw while the platform is down', rig.connector.fetchOrder(id, []))).name, 'PartnerUnavailable');
      rig.platform.faults.down = false;
      rig.platform.faults.nextErrors = 1;
      same("what is thrown at the platform's system error", (await thrown('fetchOrder must throw at a system error', rig.connector.fetchOrder(id, []))).name, 'PartnerUnavailable');
      rig.platform.faults.nextThrottled = 1;
      const throttled = await thrown('fetchOrder must throw where the platform wants fewer calls', rig.connector.fetchOrder(id, []));
      want('retryAfterMs' in throttled, `too many calls must be told as PartnerThrottled (io.throttled, or HTTP 429), not ${throttled.name}: ${throttled.message}`);
      await read(rig, id);
    },
  },
  {
    title: 'a token that has run out is renewed once, however many calls wait for it', applies: (c) => c.token === 'refresh' || c.token === 'single_use_refresh',
    async run(rig) {
      const { id } = rig.place({ lines: LINE });
      await read(rig, id);
      const before = rig.tokens;
      if (rig.tokenEnds === null) throw new Fault('it has a token that runs out, but its calls ask for none (io.token())');
      rig.advance((rig.tokenEnds - rig.now()) / 1000 + 1);
      await Promise.all([1, 2, 3, 4].map(() => read(rig, id)));
      same('refreshes after it had run out', rig.tokens - before, 1);
    },
  },
  {
    title: 'a token that is refused before its time is renewed once, however late each call hears of it', applies: (c) => c.token === 'refresh' || c.token === 'single_use_refresh',
    async run(rig) {
      const { id } = rig.place({ lines: LINE });
      await read(rig, id);
      const before = rig.tokens;
      rig.revoke();
      rig.stagger = { calls: AT_ONCE, ms: 40 };
      const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => read(rig, id)));
      same('what calls ended with', ended.flatMap((e) => (e.status === 'rejected' ? [(e.reason as Error).message] : [])), []);
      same('refreshes after it was refused', rig.tokens - before, 1);
    },
  },
];
