import type { ShipmentReport, StockPush } from '../../../channels/channel.ts';
import { method, same, thrown, want, type Check } from '../contract.ts';
import { Fault } from '../fault.ts';
import type { Rig } from '../rig.ts';

const stockOf = (rig: Rig, sku: string): number => rig.platform.shop.item(sku).stock;
const listing = (n: number): { itemId: string; platformSku: string } => ({ itemId: `900${n}`, platformSku: `P-${n}` });
const change = (n: number, delta: number, seen: number, key = `contract-${n}-${delta}`): StockPush => ({ ...listing(n), delta, target: seen + delta, seen, key });

async function push(rig: Rig, pushes: readonly StockPush[]): Promise<string[]> {
  const answers = await method('pushStock', rig.connector.pushStock).call(rig.connector, pushes);
  same('answers, one for each SKU', answers.length, pushes.length);
  return answers.map((a) => a.outcome);
}

/** What we tell the platform: stock, parcels, cancellations. */
export const outward: readonly Check[] = [
  {
    title: 'its stock is read', applies: (c) => c.stock !== 'none' && c.countsOwnSales,
    async run(rig) {
      rig.place({ lines: [{ sku: 'P-1', quantity: 4 }] });
      const seen = await method('readStock', rig.connector.readStock).call(rig.connector, [listing(1), listing(2), { itemId: '999', platformSku: 'P-999' }]);
      same('what can still be sold', seen.filter((s) => s.platformSku !== 'P-999').map((s) => [s.platformSku, s.sellable]).sort(), [['P-1', 26], ['P-2', 30]]);
      want(!seen.some((s) => s.platformSku === 'P-999'), 'a SKU that the platform does not have must be left out, not shown as 0');
    },
  },
  {
    title: 'its stock of given SKUs is read', live: 'only', applies: (c, rig) => rig.skus.length > 0 && c.stock !== 'none',
    async run(rig) {
      const seen = await method('readStock', rig.connector.readStock).call(rig.connector, rig.skus.map((s) => ({ platformSku: s.split('/').at(-1) ?? s, itemId: s.includes('/') ? s.split('/')[0] ?? null : null })));
      same('SKUs read', seen.length, rig.skus.length);
    },
  },
  {
    title: 'a change of stock arrives, several in one call', applies: (c) => c.stock !== 'none',
    async run(rig) {
      same('outcomes', await push(rig, [change(1, 5, 30), change(2, -3, 30)]), ['done', 'done']);
      same('stock there', [stockOf(rig, 'P-1'), stockOf(rig, 'P-2'), stockOf(rig, 'P-3')], [35, 27, 30]);
    },
  },
  {
    title: 'the same change under the same key is one effect', applies: (c) => c.stock === 'keyed',
    async run(rig) {
      await push(rig, [change(1, 5, 30)]);
      same('the outcome of the repetition', await push(rig, [change(1, 5, 30)]), ['done']);
      same('stock there', stockOf(rig, 'P-1'), 35);
    },
  },
  {
    title: 'a figure that has changed meanwhile is not written over', applies: (c) => c.stock === 'compare',
    async run(rig) {
      rig.place({ lines: [{ sku: 'P-1', quantity: 4 }] });
      same('outcomes', await push(rig, [change(1, 5, 30), change(2, 5, 30)]), ['stale', 'done']);
      same('stock there', [stockOf(rig, 'P-1'), stockOf(rig, 'P-2')], [26, 35]);
    },
  },
  {
    title: 'a SKU that it does not have is refused and keeps no other back', applies: (c) => c.stock !== 'none',
    async run(rig) {
      const answers = await push(rig, [{ itemId: '999', platformSku: 'P-999', delta: 1, target: 1, seen: 0, key: 'contract-none' }, change(2, 5, 30)]).catch((error: unknown) => {
        if ((error as Error).name === 'PartnerRefused') throw new Fault('one unknown SKU had the whole call refused: try the others one by one, and answer `refused` for this one');
        throw error;
      });
      same('outcomes', answers, ['refused', 'done']);
      same('stock there', stockOf(rig, 'P-2'), 35);
    },
  },
  {
    title: 'every parcel is told once, with its units, though answers are lost', applies: (c) => c.shipment !== 'none',
    async run(rig) {
      const report = method('reportShipment', rig.connector.reportShipment).bind(rig.connector);
      const placed = rig.place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
      // A platform without ids of lines has them from its connector.
      const lines = (await rig.connector.fetchOrder(placed.id, []))?.lines ?? [];
      const parcels: ShipmentReport[] = lines.map((l, i) => ({
        externalId: placed.id, key: `contract-parcel-${i + 1}`, carrier: 'sim', waybillNo: `W-${i + 1}`, lines: [{ lineId: l.lineId, quantity: l.quantity }], shippedAt: rig.now(), last: i === lines.length - 1,
      }));
      const tell = async (i: number): Promise<void> => {
        const parcel = parcels[i];
        if (parcel) await report({ ...parcel, parcels: parcels.slice(0, i + 1) });
      };
      rig.platform.faults.nextTimeouts = 1;
      // Whole orders are told with their last parcel on some platforms: the lost answer may be that of either call.
      const lost = await tell(0).then(() => tell(1)).then(() => null, (error: unknown) => error as Error);
      if (lost !== null && lost.name !== 'PartnerUnavailable') throw lost;
      rig.platform.faults.nextTimeouts = 0;
      for (const i of [0, 1, 0, 1]) await tell(i);
      const there = rig.platform.shop.order(placed.id);
      same('status there', there.status, 'shipped');
      same('units there', there.lines.map((l) => l.shipped), [2, 1]);
      if (rig.capabilities.shipment === 'parcels') same('parcels there', there.parcels.map((p) => [p.number, p.lines]), placed.lines.map((l, i) => [`W-${i + 1}`, [{ lineId: l.lineId, quantity: l.quantity }]]));
      else same('parcels there', there.parcels.length, 1);
    },
  },
  {
    title: 'our own cancellation is told, and once more does no harm', applies: (c) => c.cancel,
    async run(rig) {
      const cancel = method('cancelOrder', rig.connector.cancelOrder).bind(rig.connector);
      const { id } = rig.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
      await cancel(id, 'out of stock', 'contract-cancel');
      same('status there', rig.platform.shop.order(id).status, 'cancelled');
      await cancel(id, 'out of stock', 'contract-cancel');
    },
  },
  {
    title: 'a shipment of an order that it does not have is refused, not tried without end', applies: (c) => c.shipment !== 'none',
    async run(rig) {
      const report = method('reportShipment', rig.connector.reportShipment).bind(rig.connector);
      const own: ShipmentReport = { externalId: '1000000000000000001', key: 'contract-none', carrier: 'sim', waybillNo: 'W-0', lines: [{ lineId: '1', quantity: 1 }], shippedAt: rig.now(), last: true };
      same('what is thrown', (await thrown('reportShipment must throw', report({ ...own, parcels: [own] }))).name, 'PartnerRefused');
    },
  },
];
