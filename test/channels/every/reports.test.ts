import { expect, it } from 'vitest';
import { advance } from '../../support/advance.ts';
import { everyPlatform } from '../support/every-platform.ts';

/** What every platform is told of its orders: parcels, cancellations, decisions on after-sales. */
everyPlatform((shop) => {
  const { capabilities } = shop;

  it.runIf(capabilities.shipment !== 'none')('tells every parcel once, with the units that are in it, though answers are lost', async () => {
    const scene = await shop.selling({ timeoutMs: 300 });
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    const { world } = scene;
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    await advance(world, ours);
    const [f] = await world.fulfillments(ours);
    if (!f) throw new Error('nothing was routed');
    const carrier = 'sim';
    await world.tell(f, { type: 'goods_issue', parcels: [
      { parcelNo: 1, carrier, waybillNo: 'W-1', lines: [{ lineNo: 1, quantity: 2 }] }, { parcelNo: 2, carrier, waybillNo: 'W-2', lines: [{ lineNo: 2, quantity: 1 }] }] });
    Object.assign(scene.platform.faults, { nextTimeouts: 1 });
    expect((await scene.sync()).fault).toBeNull();
    await scene.sync(60);
    await scene.sync(60);
    const there = scene.platform.shop.order(order.id);
    const lineIds = there.lines.map((l) => l.lineId);
    expect({ status: there.status, numbers: there.parcels.map((p) => p.number) }).toEqual({ status: 'shipped', numbers: capabilities.shipment === 'parcels' ? ['W-1', 'W-2'] : ['W-1'] });
    if (capabilities.shipment === 'parcels') expect(there.parcels.map((p) => p.lines)).toEqual([[{ lineId: lineIds[0], quantity: 2 }], [{ lineId: lineIds[1], quantity: 1 }]]);
    const reports = await scene.api<{ items: { kind: string; state: string }[] }>('GET', `/v1/channels/${scene.code}/reports`);
    expect(reports.items.map((r) => [r.kind, r.state])).toEqual([['shipment', 'done']]);
  });

  it.runIf(capabilities.afterSale !== 'none')('takes an after-sale before the goods leave as a refund once it is agreed to, and tells what was decided', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    const afterSale = scene.platform.shop.openAfterSale(order.id, { kind: 'refund' });
    if (capabilities.afterSale === 'told') scene.platform.shop.moveAfterSale(afterSale.id, 'done', 'platform');
    await scene.pushed();
    await scene.sync();
    const now = async (): Promise<unknown> => [await scene.world.status(ours), (await scene.world.refunds(ours)).map(([, amount]) => amount)];
    if (capabilities.afterSale === 'decide') {
      expect(await now()).toEqual(['on_hold', []]);
      const decide = () => scene.api('POST', `/v1/channels/${scene.code}/after-sales/${afterSale.id}/decision`, { externalId: order.id, approved: true, reason: 'not sent yet' });
      await Promise.all([decide(), decide()]);
      await scene.sync();
      const decided = scene.platform.shop.afterSale(afterSale.id).afterSale;
      expect([decided.decidedBy, decided.status === 'done' ? 'agreed' : decided.status]).toEqual(['shop', 'agreed']); // some pay back at once
      await scene.pushed();
      await scene.sync();
      await expect(scene.api('POST', `/v1/channels/${scene.code}/after-sales/${afterSale.id}/decision`, { externalId: order.id, approved: false, reason: 'no' })).rejects.toThrow('409');
    }
    expect(await now()).toEqual(['cancelled', [2000]]);
  });

  it.runIf(capabilities.afterSale === 'decide')('goes on with an order whose refund is withdrawn or refused', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    for (const end of ['closed', 'refused'] as const) {
      const afterSale = scene.platform.shop.openAfterSale(order.id, { kind: 'refund' });
      await scene.pushed();
      await scene.sync();
      expect(await scene.world.status(ours)).toBe('on_hold');
      scene.platform.shop.moveAfterSale(afterSale.id, end, 'platform');
      await scene.pushed();
      await scene.sync();
      expect([end, await scene.world.status(ours), await scene.world.refunds(ours), (await scene.channelOrder(order.id))?.state]).toEqual([end, 'captured', [], 'open']);
    }
  });

  // Pinduoduo takes no refusal by API.
  it.runIf(capabilities.afterSale === 'decide' && shop.platform !== 'pinduoduo')('decides anew what the buyer asks for anew after a refusal', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    const { id } = scene.platform.shop.openAfterSale(order.id, { kind: 'refund' });
    const read = async (): Promise<string> => { await scene.pushed(); await scene.sync(); return scene.world.status(ours); };
    const decide = async (approved: boolean): Promise<string> => {
      await scene.api('POST', `/v1/channels/${scene.code}/after-sales/${id}/decision`, { externalId: order.id, approved, reason: 'as it is' });
      await scene.sync();
      const { status, decidedBy } = scene.platform.shop.afterSale(id).afterSale;
      return `${status === 'done' ? 'agreed' : status} ${decidedBy ?? ''}`; // some pay back at once
    };
    expect([await read(), await decide(false), await read()]).toEqual(['on_hold', 'refused shop', 'captured']);
    scene.platform.shop.moveAfterSale(id, 'requested', 'buyer');
    expect([await read(), await decide(true), await read(), (await scene.world.refunds(ours)).map(([, amount]) => amount)]).toEqual(['on_hold', 'agreed shop', 'cancelled', [2000]]);
  });

  it.runIf(capabilities.afterSale !== 'none')('waits while a part of the order is in dispute, and goes on without it', async () => {
    const scene = await shop.selling();
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    const afterSale = scene.platform.shop.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId: order.lines[0]?.lineId ?? '', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    // Where the platform asks nobody, it tells when it is done.
    expect(await scene.world.status(ours)).toBe(capabilities.afterSale === 'decide' ? 'on_hold' : 'captured');
    scene.platform.shop.moveAfterSale(afterSale.id, capabilities.afterSale === 'decide' ? 'agreed' : 'done', 'platform');
    await scene.pushed();
    await scene.sync();
    const lines = await scene.world.store.pool.query<{ q: number; c: number }>('select quantity q, cancelled_quantity c from order_lines order by line_no');
    expect([await scene.world.status(ours), lines.rows]).toEqual(['captured', [{ q: 2, c: 1 }, { q: 1, c: 0 }]]);
  });

  it('tells the platform of an order that we have cancelled, or says why it cannot; not of one that was cancelled there', async () => {
    const scene = await shop.selling();
    const [ours, theirs] = [shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] }), shop.place({ lines: [{ sku: 'P-2', quantity: 1 }] })];
    await scene.pushed();
    await scene.sync();
    await scene.api('POST', `/v1/orders/${(await scene.channelOrder(ours.id))?.order ?? ''}/cancel`, { reason: 'no longer made' });
    scene.platform.shop.cancel(theirs.id);
    await scene.pushed();
    await scene.sync();
    await scene.pushed();
    await scene.sync(3700);
    const reports = await scene.world.store.pool.query<{ id: string; refused: boolean }>(`select body ->> 'externalId' id, refused from channel_reports where kind = 'cancellation' and done_at is not null`);
    expect({ there: [ours, theirs].map((o) => scene.platform.shop.order(o.id).status), reports: reports.rows, stock: [shop.stockOf('P-1'), shop.stockOf('P-2')] })
      .toEqual({ there: [capabilities.cancel ? 'cancelled' : 'to_ship', 'cancelled'], reports: [{ id: ours.id, refused: !capabilities.cancel }], stock: [30, 30] });
  });
});
