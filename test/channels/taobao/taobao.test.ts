import { afterEach, describe, expect, it, test } from 'vitest';
import { chinaTime } from '../../../channels/china-time.ts';
import { taobao } from '../../../channels/taobao/index.ts';
import { mapOrder } from '../../../channels/taobao/map.ts';
import { hintOf } from '../../../channels/taobao/messages.ts';
import type { TaobaoSettings } from '../../../channels/taobao/settings.ts';
import { signCall, type SignMethod } from '../../../channels/taobao/sign.ts';
import { topSignature } from '../../../simulators/taobao/signing.ts';
import { connectorOf } from '../support/connector-of.ts';
import { ShopScene } from '../support/shop-scene.ts';

/** Both sides sign: the connector's code and the simulator's, which know nothing of each other. */
const both = (fields: Record<string, string>, secret: string, method: SignMethod): string[] => [signCall(fields, secret, method), topSignature(new URLSearchParams({ ...fields, sign: 'left out' }), secret)];

describe('signatures', () => {
  test('PUBLISHED: the getting-started example of TOP', () => {
    const fields = { app_key: 'test', fields: 'nick', format: 'xml', method: 'taobao.user.seller.get', session: 'test', sign_method: 'md5', timestamp: '2013-05-06 13:52:03', v: '2.0' };
    expect(both(fields, 'test', 'md5')).toEqual(['72CB4D809B375A54502C09360D879C64', '72CB4D809B375A54502C09360D879C64']);
  });

  const FIELDS = { app_key: '12345678', fields: 'num_iid,title,nick,price,num', format: 'json', method: 'taobao.item.seller.get', num_iid: '11223344', session: 'test', timestamp: '2016-01-01 12:00:00', v: '2.0' };
  test('PUBLISHED: the example of the signing page, empty fields left out', () => {
    expect(both({ ...FIELDS, sign_method: 'md5', empty: '' }, 'helloworld', 'md5')).toEqual(['66987CB115214E59E6EC978214934FB8', '66987CB115214E59E6EC978214934FB8']);
  });
  test.each([['hmac', 'D56D7858309C31B6251083A874D48273'], ['hmac-sha256', '04DB15AD0774D5CFCE2C837DE43E3FCEA9011ED74F3038FB6AB5F3C4CEA119E8']] as const)('DERIVED: the same fields by %s', (method, sign) => {
    expect(both({ ...FIELDS, sign_method: method }, 'helloworld', method)).toEqual([sign, sign]);
  });
});

describe('messages of the queue', () => {
  const message = (topic: string, content: string) => hintOf({ id: '4160600490938325007', topic, content, pub_time: '2026-11-20 08:00:00', user_id: '263664221' });
  test('an order by its number to the last digit, without its buyer', () => {
    expect(message('taobao_trade_TradeBuyerPay', '{"buyer_nick":"a buyer","tid":4705288465508532862,"oid":4705288465508532869,"status":"WAIT_SELLER_SEND_GOODS","payment":"12.50"}')).toEqual({
      subject: 'order', topic: 'taobao_trade_TradeBuyerPay', externalId: '4705288465508532862', version: Date.UTC(2026, 10, 20),
      key: 'taobao_trade_TradeBuyerPay:4705288465508532862:4705288465508532869:WAIT_SELLER_SEND_GOODS:2026-11-20 08:00:00',
    });
    expect(message('taobao_refund_RefundSuccess', '{"tid":1,"oid":2,"refund_id":3,"modified":"2026-11-20 09:00:00"}')).toMatchObject({ externalId: '1', key: 'taobao_refund_RefundSuccess:1:2:3:2026-11-20 09:00:00', version: Date.UTC(2026, 10, 20, 1) });
  });
  test('stock by its SKU; others, and what cannot be read, are nothing to us', () => {
    expect(message('taobao_item_ItemStockChanged', '{"num_iid":9001,"sku_id":31027,"increment":-1}')).toMatchObject({ subject: 'stock', externalId: '31027' });
    expect([message('taobao_item_ItemUpdate', '{"num_iid":9001}'), message('taobao_trade_TradeBuyerPay', 'no JSON'), message('taobao_trade_TradeBuyerPay', '{}')]).toEqual([null, null, null]);
  });
});

describe('an order', () => {
  const S = { platformWarehouses: ['CN-1'] } as unknown as TaobaoSettings;
  const one = (more: Record<string, unknown> = {}) => ({ oid: '11', num_iid: '9001', sku_id: '31027', outer_sku_id: 'SKU-1', title: 'Shirt', num: 3, price: '10.00', total_fee: '27.00', divide_order_fee: '25.00', status: 'WAIT_SELLER_SEND_GOODS', refund_status: 'NO_REFUND', ...more });
  const trade = (orders: Record<string, unknown>[], more: Record<string, unknown> = {}) => ({
    tid: '4705288465508532862', status: 'WAIT_SELLER_SEND_GOODS', created: '2026-11-20 08:00:00', modified: '2026-11-20 08:00:05', pay_time: '2026-11-20 08:00:05', post_fee: '5.00', payment: '30.00',
    receiver_name: '张**', receiver_mobile: '138****0001', receiver_state: '浙江省', receiver_district: '济源市', receiver_address: '***', oaid: 'o-1', orders: { order: orders }, ...more,
  });

  test('what was taken off its lines and off the whole is told apart; a county without a city is one', () => {
    const seen = mapOrder(trade([one()], { payment: '29.00' }), [], S);
    expect([seen.lines.map((l) => [l.lineId, l.itemId, l.platformSku, l.merchantCode, l.unitPrice, l.discounts]), seen.discounts, seen.freight]).toEqual([
      [['11', '9001', '31027', 'SKU-1', 1000, [{ bearer: 'shop', code: 'discount_fee', amount: 500 }]]], [{ bearer: 'shop', code: 'payment', amount: 100 }], 500]);
    expect(seen.address).toMatchObject({ province: '浙江省', city: '济源市', sealed: { oaid: 'o-1', tid: '4705288465508532862' }, token: 'o-1' });
  });
  test('a price that was put up by hand is the price', () => {
    expect(mapOrder(trade([one({ divide_order_fee: '31.00' })], { payment: '36.00' }), [], S).lines[0]).toMatchObject({ unitPrice: 1034, discounts: [{ amount: 2 }] });
  });
  test('cash on delivery is to be sent unpaid; an item without SKUs is its own listing', () => {
    expect(mapOrder(trade([one({ sku_id: undefined })], { type: 'cod', pay_time: undefined }), [], S)).toMatchObject({ status: 'to_ship', paidAt: null, cashOnDelivery: true, lines: [{ itemId: null, platformSku: '9001' }] });
  });
  test('a closed sub-order is no more to be sent; one that was sent before stays sent', () => {
    const seen = mapOrder(trade([one({ status: 'TRADE_CLOSED', refund_id: '5' }), one({ oid: '12', consign_time: '2026-11-20 09:00:00', invoice_no: 'SF1', logistics_company: 'SF' })], { status: 'TRADE_CLOSED', consign_time: '2026-11-20 09:00:00' }), [], S);
    expect([seen.status, seen.lines.map((l) => l.cancelled), seen.parcels]).toEqual(['done', [3, 0], [{ carrier: 'SF', number: 'SF1' }]]);
  });
  test('of two changes in one second, how far the order is tells the later', () => {
    const [paid, closed] = [mapOrder(trade([one()]), [], S), mapOrder(trade([one()], { status: 'TRADE_CLOSED_BY_TAOBAO' }), [], S)];
    expect([Math.floor(paid.version / 1000) === Math.floor(closed.version / 1000), paid.version < closed.version]).toEqual([true, true]);
  });
  test('what Cainiao ships is not ours; a part of it is nobody’s to guess', () => {
    const info = { logistics_infos: { logistics_info: [{ sub_trade_id: '11', consign_type: 'CN' }, { sub_trade_id: '12', consign_type: 'SC' }] } };
    expect([mapOrder(trade([one()], info), [], S).fulfilledBy, mapOrder(trade([one({ oid: '12' })], info), [], S).fulfilledBy, mapOrder(trade([one({ oid: '12', store_code: 'CN-1' })]), [], S).fulfilledBy]).toEqual(['platform', 'us', 'platform']);
    expect(() => mapOrder(trade([one(), one({ oid: '12' })], info), [], S)).toThrow('a part of the order is shipped by Cainiao');
  });
  test('paid and not to be sent yet: it is paid, and kept back', () => {
    const [kept, open] = [mapOrder(trade([one()], { status: 'PAID_FORBID_CONSIGN' }), [], S), mapOrder(trade([one()]), [], S)];
    expect([kept.status, kept.paidAt === open.paidAt && kept.paidAt !== null, kept.keptBack, open.keptBack]).toEqual(['to_ship', true, 'it is paid and must not be sent yet (PAID_FORBID_CONSIGN)', null]);
    expect(() => mapOrder(trade([one()], { status: 'NEVER_HEARD_OF' }), [], S)).toThrow('the platform says NEVER_HEARD_OF');
  });
});

describe('a shop on the simulator', () => {
  let scene: ShopScene;
  afterEach(async () => { await scene.close(); });
  async function opened(settings: Record<string, unknown> = {}): Promise<void> {
    scene = await ShopScene.open('taobao', settings);
    await scene.list();
  }
  const stateOf = async (id: string | undefined): Promise<string | undefined> => (await scene.channelOrder(id ?? ''))?.state;

  it('an order that is paid while it must not be sent is paid here, too, and stops until it may', async () => {
    await opened();
    const { shop } = scene.platform;
    const id = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }], paid: false })?.id ?? '';
    await scene.sync();
    const ours = (await scene.channelOrder(id))?.order ?? '';
    const state = () => scene.world.one('select status, payment_status paid from orders');
    expect(await state()).toEqual({ status: 'awaiting_payment', paid: 'unpaid' });
    shop.pay(id);
    shop.pause(id, true);
    await scene.sync();
    expect([await state(), await stateOf(id)]).toEqual([{ status: 'on_hold', paid: 'paid' }, 'open']);
    shop.pause(id, false);
    await scene.sync();
    expect(await scene.world.status(ours)).toBe('captured');
  });

  it('leaves messages of other shops in the queue, and finds its own behind them by the poll', async () => {
    await opened({ sellerId: '1' });
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    expect(await stateOf(order?.id)).toBeUndefined();
    await scene.sync(310);
    expect(await stateOf(order?.id)).toBe('open');
    const { rows } = await scene.world.store.pool.query<{ source: string }>('select distinct source from channel_hints');
    expect(rows).toEqual([{ source: 'poll' }]);
  });

  it('takes a message again when a worker dies before it is confirmed, as the same fact', async () => {
    await opened();
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    const { raw } = scene.world;
    Object.assign(scene.world, { raw: (...[call, timeoutMs]: Parameters<typeof raw>) => (String(call.body).includes('tmc.messages.confirm') ? Promise.reject(new Error('the worker dies here')) : raw(call, timeoutMs)) });
    scene.restart();
    await expect(scene.sync()).rejects.toThrow('the worker dies here');
    Object.assign(scene.world, { raw });
    scene.restart();
    await scene.sync(601);
    expect([await stateOf(order?.id), await scene.orderCount(), (await scene.world.one<{ n: number }>(`select max(repeated)::int n from channel_hints where source = 'push'`)).n]).toEqual(['open', 1, 1]);
  });

  it('learns what is there when more was to be taken off than there was', async () => {
    await opened();
    scene.platform.shop.item('P-1').stock = 2; // sold elsewhere, told nowhere
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 20, unitPrice: 1000 }] });
    await scene.sync();
    await scene.proven();
    expect([scene.platform.shop.item('P-1').stock, await scene.world.one(`select refused, pending, granted::int - sold::int shown from listings where platform_sku = 'P-1'`)]).toEqual([10, { refused: null, pending: null, shown: 10 }]);
  });

  it('leaves unpaid orders what they hold, although it is still in the figure', async () => {
    await opened();
    const { shop } = scene.platform;
    const unpaid = shop.place({ lines: [{ sku: 'P-1', quantity: 6 }], paid: false });
    await scene.pushed();
    await scene.sync();
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 4, unitPrice: 1000 }] });
    await scene.sync();
    expect([shop.item('P-1').stock, shop.item('P-1').held]).toEqual([20, 6]);
    shop.cancel(unpaid?.id ?? '');
    await scene.pushed();
    await scene.sync();
    await scene.sync(3601); // compared with what it was told: nothing is off
    await scene.proven();
    expect([shop.item('P-1').stock, shop.item('P-1').held, await scene.world.one('select count(*)::int n from listing_drifts')]).toEqual([26, 0, { n: 0 }]);
  });

  it('tells two parcels of one sub-order by their units, each once', async () => {
    await opened({ timeoutMs: 300 });
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 3 }] });
    const [line] = order?.lines ?? [];
    const connector = await connectorOf(scene, taobao);
    const parcels = [2, 1].map((quantity, i) => ({ externalId: order?.id ?? '', key: `parcel-${i}`, carrier: 'sim', waybillNo: `W-${i}`, lines: [{ lineId: line?.lineId ?? '', quantity }], shippedAt: 0, last: i === 1 }));
    const tell = (n: number) => connector.reportShipment?.({ ...parcels[n]!, parcels: parcels.slice(0, n + 1) });
    await tell(0);
    Object.assign(scene.platform.faults, { nextTimeouts: 1 });
    await expect(tell(1)).rejects.toThrow();
    for (const n of [0, 1, 0]) await tell(n);
    const there = scene.platform.shop.order(order?.id ?? '');
    expect([there.status, there.parcels.map((p) => [p.number, p.carrier, p.lines.map((l) => l.quantity)])]).toEqual(['shipped', [['W-0', 'SIM', [2]], ['W-1', 'SIM', [1]]]]);
  });

  it('agrees to a return by its address, and refuses one once', async () => {
    await opened();
    const connector = await connectorOf(scene, taobao);
    const { shop } = scene.platform;
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }, { sku: 'P-2', quantity: 1 }] });
    if (!order) throw new Error('sold out');
    shop.ship(order.id, { key: 'k', carrier: 'SIM', number: 'W', lines: null });
    const [back, no] = order.lines.map((l) => shop.openAfterSale(order.id, { kind: 'return', lines: [{ lineId: l.lineId, quantity: 1 }] }));
    for (let i = 0; i < 2; i++) {
      await connector.answerAfterSale?.(order.id, back?.id ?? '', { approved: true, reason: 'send it back' }, 'a');
      await connector.answerAfterSale?.(order.id, no?.id ?? '', { approved: false, reason: 'worn' }, 'b');
    }
    expect(order.afterSales.map((a) => [a.status, a.decidedBy])).toEqual([['agreed', 'shop'], ['refused', 'shop']]);
    expect((await connector.fetchOrder(order.id, []))?.afterSales.map((a) => [a.kind, a.status])).toEqual([['return', 'agreed'], ['return', 'refused']]);
  });

  it('renews its session once for all who ask; a session of fixed length ends with a word', async () => {
    await opened();
    expect(scene.platform.counts['tokens']).toBe(1);
    scene.world.now = new Date(scene.world.now.getTime() + 86_400_000);
    scene.restart();
    await Promise.all([scene.sync(), scene.sync()]);
    expect(scene.platform.counts['tokens']).toBe(2);
    await scene.world.store.pool.query('delete from channel_tokens');
    const connector = await connectorOf(scene, taobao, { appKey: scene.account['appKey'], appSecret: scene.account['appSecret'], session: 'ended long ago' });
    await expect(connector.fetchOrder('1', [])).rejects.toThrow('the session is over: authorise the shop anew and set session');
  });

  it('keeps what it cannot read sealed, beside the number that opens it', async () => {
    await opened();
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    const { order: ours } = await scene.channelOrder(order?.id ?? '') ?? {};
    const detail = await scene.api<{ destination: Record<string, unknown> }>('GET', `/v1/orders/${ours ?? ''}`);
    expect(JSON.stringify(detail)).not.toContain('Wensan');
    expect(detail.destination).toMatchObject({ province: 'Zhejiang', city: 'Hangzhou' });
  });

  it('does not believe a clock that is ten minutes off, nor a wrong signature', async () => {
    await opened();
    const ask = async (form: Record<string, string>): Promise<unknown> => (await (await fetch(`${scene.platform.url}/router/rest`, { method: 'POST', body: new URLSearchParams(form).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } })).json() as { error_response: { code: number } }).error_response.code;
    const at = (offset: number) => {
      const fields = { method: 'taobao.tmc.messages.consume', app_key: String(scene.account['appKey']), timestamp: chinaTime(scene.world.now.getTime() + offset), v: '2.0', format: 'json', sign_method: 'md5', quantity: '100' };
      return { ...fields, sign: signCall(fields, String(scene.account['appSecret']), 'md5') };
    };
    expect([await ask(at(601_000)), await ask(at(-601_000)), await ask({ ...at(0), quantity: '99' })]).toEqual([31, 31, 25]);
  });
});
