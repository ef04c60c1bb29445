import { afterEach, describe, expect, it, test } from 'vitest';
import { chinaTime } from '../../../channels/china-time.ts';
import { jd } from '../../../channels/jd/index.ts';
import { mapOrder, waybills } from '../../../channels/jd/map.ts';
import type { JdSettings } from '../../../channels/jd/settings.ts';
import { signCall } from '../../../channels/jd/sign.ts';
import { josSignature } from '../../../simulators/jd/signing.ts';
import { connectorOf } from '../support/connector-of.ts';
import { ShopScene } from '../support/shop-scene.ts';

test('DERIVED: the signature of a call (JD publishes none; both sides follow the same reading)', () => {
  const fields = { '360buy_param_json': '{"order_id":"1"}', access_token: 'tok', app_key: 'ak', format: 'json', method: 'jingdong.pop.order.get', timestamp: '2024-01-01 00:00:00', v: '2.0' };
  expect([signCall(fields, 'sec'), josSignature(new URLSearchParams({ ...fields, sign: 'left out' }), 'sec')]).toEqual(['06FD36F85C8CAD42FDDFF4E6A6BE8DD9', '06FD36F85C8CAD42FDDFF4E6A6BE8DD9']);
});

describe('an order', () => {
  const S = { nothingToSend: ['75'], platformOrders: ['京仓订单', '云仓订单'] } as unknown as JdSettings;
  const CIPHER = 'AASZFJFpmfveSmeZ0P9iiPiAVtOMmowMRtStdbSOA32r6wKNWTMeyV2CU1umLIhl0=';
  const order = (more: Record<string, unknown> = {}) => ({
    orderId: '287901234567', orderType: '22', payType: '4-在线支付', orderState: 'WAIT_SELLER_STOCK_OUT', orderStartTime: '2026-11-20 08:00:00', modified: '2026-11-20 08:00:05', paymentConfirmTime: '2026-11-20 08:00:05',
    orderTotalPrice: '50.00', sellerDiscount: '5.00', orderSellerPrice: '45.00', freightPrice: '6.00', orderPayment: '40.00', balanceUsed: '1.00',
    consigneeInfo: { fullname: CIPHER, mobile: CIPHER, fullAddress: CIPHER, province: '浙江', city: '杭州市', county: '西湖区', oaid: 'o-1' },
    itemInfoList: [{ skuId: '1002003', wareId: '900', outerSkuId: 'SKU-1', skuName: 'Shirt', jdPrice: '20.00', itemTotal: '2' }, { skuId: '1002003', wareId: '900', outerSkuId: 'SKU-1', skuName: 'Shirt', jdPrice: '10.00', itemTotal: '1' }], ...more,
  });

  test('what the shop gives and what JD gives are told apart; two lines of one SKU have names of their own', () => {
    const seen = mapOrder(order(), [], S);
    expect([seen.lines.map((l) => [l.lineId, l.platformSku, l.quantity, l.unitPrice]), seen.discounts, seen.freight]).toEqual([
      [['1002003', '1002003', 2, 2000], ['1002003:2', '1002003', 1, 1000]], [{ bearer: 'shop', code: 'sellerDiscount', amount: 500 }, { bearer: 'platform', code: 'userDiscount', amount: 1000 }], 600]);
    expect(seen.address).toEqual({ name: '***', phone: '***', country: 'CN', province: '浙江', city: '杭州市', district: '西湖区', street: '***', sealed: { fullname: CIPHER, mobile: CIPHER, fullAddress: CIPHER, oaid: 'o-1', orderId: '287901234567' }, token: 'o-1' });
  });
  test('waybills of one carrier are parted by commas, carriers by bars; parcels on their own come first, none twice', () => {
    expect(waybills({ waybill: 'A,B|C', logisticsId: '467|1499', partialLogisticsInfoModel: [{ waybillId: 'B', logicId: '467' }, { waybillId: 'D', logicId: '470' }] })).toEqual([
      { carrier: '467', number: 'B' }, { carrier: '470', number: 'D' }, { carrier: '467', number: 'A' }, { carrier: '1499', number: 'C' }]);
  });
  test('the year 1 is no payment; cash on delivery needs none', () => {
    expect(mapOrder(order({ payType: '1-货到付款', paymentConfirmTime: '0001-01-01 00:00:00' }), [], S)).toMatchObject({ paidAt: null, cashOnDelivery: true, status: 'to_ship' });
  });
  test("what JD's warehouses ship is not ours, what is served in a shop is nobody's parcel, and what is paused waits", () => {
    expect([mapOrder(order({ storeOrder: '京仓订单' }), [], S).fulfilledBy, mapOrder(order({ storeOrder: '' }), [], S).fulfilledBy]).toEqual(['platform', 'us']);
    expect(() => mapOrder(order({ orderType: '75' }), [], S)).toThrow('served in a shop');
    for (const orderState of ['PAUSE', 'POP_ORDER_PAUSE']) expect(mapOrder(order({ orderState }), [], S)).toMatchObject({ status: 'to_ship', keptBack: `it is paused (暂停, ${orderState})` });
    expect([mapOrder(order(), [], S).keptBack, mapOrder(order({ orderState: 'LOCKED' }), [], S).keptBack]).toEqual([null, null]);
    expect(() => mapOrder(order({ orderState: 'NEVER_HEARD_OF' }), [], S)).toThrow('JD says NEVER_HEARD_OF');
  });
});

describe('a shop on the simulator', () => {
  let scene: ShopScene;
  afterEach(async () => { await scene.close(); });
  async function opened(settings: Record<string, unknown> = {}): Promise<void> {
    scene = await ShopScene.open('jd', settings);
    await scene.api('POST', `/v1/channels/${scene.code}/listings`, { mappings: [1, 2, 3, 4].map((n) => ({ platformSku: `P-${n}`, components: [{ sku: `SKU-${n}`, quantity: 1 }] })) });
    await scene.proven();
  }
  const place = (...args: Parameters<typeof scene.platform.shop.place>) => { const order = scene.platform.shop.place(...args); if (!order) throw new Error('sold out'); return order; };
  const statusOf = async (id: string): Promise<string> => scene.world.status((await scene.channelOrder(id))?.order ?? '');

  it('leaves what is ordered and not paid to its buyers, and counts it once it is paid', async () => {
    await opened();
    const { shop } = scene.platform;
    const order = place({ lines: [{ sku: 'P-1', quantity: 6 }], paid: false });
    await scene.sync();
    expect([await scene.channelOrder(order.id), shop.item('P-1').stock]).toEqual([null, 24]);
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 4, unitPrice: 1000 }] });
    await scene.sync();
    expect([shop.item('P-1').stock, shop.item('P-1').held]).toEqual([20, 6]);
    shop.pay(order.id);
    await scene.sync();
    await scene.sync(3700); // compared with what it was told: nothing is off
    await scene.proven();
    expect([await statusOf(order.id), shop.item('P-1').stock, await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual(['captured', 20, { n: 0 }]);
  });

  it('stops an order that JD pauses after it was captured, and lets it go with JD; one that is paused from the first waits', async () => {
    await opened();
    const { shop } = scene.platform;
    const [before, after] = [place({ lines: [{ sku: 'P-1', quantity: 1 }] }), place({ lines: [{ sku: 'P-1', quantity: 1 }] })];
    shop.pause(before.id, true);
    await scene.sync();
    expect([await scene.channelOrder(before.id), await statusOf(after.id)]).toEqual([{ state: 'held', reason: 'kept_back', order: null }, 'captured']);
    shop.pause(after.id, true);
    await scene.sync();
    const held = () => scene.world.one(`select count(*)::int n from order_holds where released_at is null and detail = 'kept back by the platform: it is paused (暂停, POP_ORDER_PAUSE)'`);
    expect([await statusOf(after.id), await held()]).toEqual(['on_hold', { n: 1 }]);
    for (const { id } of [before, after]) shop.pause(id, false);
    await scene.sync();
    expect([await statusOf(before.id), await statusOf(after.id), await held()]).toEqual(['captured', 'captured', { n: 0 }]);
  });

  it('where less is there than is to be taken off, that is taken off, and keeps no other SKU back', async () => {
    await opened();
    scene.platform.shop.item('P-1').stock = 2; // all but two are booked there
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 20, unitPrice: 1000 }, { sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
    await scene.sync();
    expect([1, 2].map((n) => scene.platform.shop.item(`P-${n}`).stock)).toEqual([0, 25]);
    // No order explains it: somebody has lowered it there, and it is told what is left here.
    await scene.proven();
    expect([scene.platform.shop.item('P-1').stock, await scene.world.one(`select refused, pending from listings where platform_sku = 'P-1'`), await scene.world.one('select drift from listing_drifts')]).toEqual([10, { refused: null, pending: null }, { drift: -28 }]);
  });

  it('sees a wish to cancel although it changes nothing of the order, and its end within the hour', async () => {
    await opened();
    const { shop } = scene.platform;
    const order = place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.sync();
    const before = order.updatedAt;
    const wish = shop.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId: 'P-1', quantity: 1 }] });
    order.updatedAt = before; // the order's own time stands still
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    expect([await scene.world.status(ours), await scene.world.refunds(ours)]).toEqual(['on_hold', []]);
    shop.moveAfterSale(wish.id, 'done', 'jd');
    order.updatedAt = before;
    await scene.sync(3600);
    await scene.sync(3600);
    expect((await connectorOf(scene, jd).then((c) => c.fetchOrder(order.id, [])))?.afterSales).toMatchObject([{ id: wish.id, kind: 'refund', status: 'done', amount: 1000 }]);
    expect((await scene.world.refunds(ours)).map(([, amount]) => amount)).toEqual([1000]);
  });

  it('takes a return of goods that have left as a service, which only its desk decides', async () => {
    await opened();
    const order = place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    scene.platform.shop.ship(order.id, { key: 'k', carrier: '467', number: 'W', lines: null });
    const made = scene.platform.shop.openAfterSale(order.id, { kind: 'return', lines: [{ lineId: 'P-1', quantity: 1 }] });
    const connector = await connectorOf(scene, jd);
    expect((await connector.fetchOrder(order.id, []))?.afterSales).toMatchObject([{ id: made.id, kind: 'return', status: 'requested', lines: [{ lineId: 'P-1', quantity: 1 }], amount: 1000 }]);
    await expect(connector.answerAfterSale?.(order.id, made.id, { approved: true, reason: 'yes' }, 'k')).rejects.toThrow('decide there');
    scene.platform.shop.moveAfterSale(made.id, 'goods_sent', 'buyer');
    expect((await connector.fetchOrder(order.id, []))?.afterSales).toMatchObject([{ status: 'goods_sent', waybill: { carrier: '顺丰', number: `R-${made.id}` } }]);
  });

  it('tells two parcels of one line by their units, each once; or all waybills at once, where parcels cannot be told', async () => {
    await opened();
    const tell = async (settings: Record<string, unknown>): Promise<[string, string, number[]][]> => {
      const order = place({ lines: [{ sku: 'P-1', quantity: 3 }] });
      const connector = await connectorOf(scene, jd, { ...scene.account, ...settings });
      const parcels = [2, 1].map((quantity, i) => ({ externalId: order.id, key: `p${i}`, carrier: 'sim', waybillNo: `W-${i}`, lines: [{ lineId: 'P-1', quantity }], shippedAt: 0, last: i === 1 }));
      scene.platform.faults.nextTimeouts = 1;
      for (const n of [0, 1, 0, 1, 1]) await connector.reportShipment?.({ ...parcels[n]!, parcels: parcels.slice(0, n + 1) }).catch((error: Error) => { if (error.name !== 'PartnerUnavailable') throw error; });
      expect(order.status).toBe('shipped');
      return order.parcels.map((p) => [p.number, p.carrier, p.lines.map((l) => l.quantity)]);
    };
    expect(await tell({})).toEqual([['W-0', '467', [2]], ['W-1', '467', [1]]]);
    expect(await tell({ parcels: 'whole' })).toEqual([['W-0,W-1', '467', [3]]]);
  });

  it('renews its token once for all who ask, and the old refresh token is dead', async () => {
    await opened();
    const { counts, url } = scene.platform;
    expect(counts['tokens']).toBe(1);
    scene.world.now = new Date(scene.world.now.getTime() + 30 * 86_400_000);
    // A month of half hours is not what is asked here.
    await scene.world.store.pool.query('update channel_shops set polled_until = $1', [scene.world.now]);
    scene.restart();
    await Promise.all([scene.sync(), scene.sync()]);
    expect(counts['tokens']).toBe(2);
    const form = new URLSearchParams({ app_key: String(scene.account['appKey']), app_secret: String(scene.account['appSecret']), grant_type: 'authorization_code', code: 'sim-code-once' });
    expect(await (await fetch(`${url}/oauth2/access_token`, { method: 'POST', body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } })).json()).toMatchObject({ code: 400 });
  });

  it('does not believe a clock that is ten minutes off, nor a wrong signature', async () => {
    await opened();
    const ask = async (form: Record<string, string>): Promise<string> => {
      const response = await fetch(`${scene.platform.url}/routerjson`, { method: 'POST', body: new URLSearchParams(form).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      return (await response.json() as { error_response: { code: string } }).error_response.code;
    };
    const at = (offset: number, token = 'nobody') => {
      const fields = { '360buy_param_json': '{}', access_token: token, app_key: String(scene.account['appKey']), format: 'json', method: 'jingdong.pop.order.get', timestamp: chinaTime(scene.world.now.getTime() + offset), v: '2.0' };
      return { ...fields, sign: signCall(fields, String(scene.account['appSecret'])) };
    };
    expect([await ask(at(601_000)), await ask(at(-601_000)), await ask({ ...at(0), access_token: 'another' }), await ask(at(0))]).toEqual(['18', '18', '25', '19']);
  });
});
