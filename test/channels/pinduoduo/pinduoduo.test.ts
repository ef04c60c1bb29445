import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { Rig } from '../../../bin/channel/rig.ts';
import { pinduoduo as kind } from '../../../channels/pinduoduo/index.ts';
import { mapOrder } from '../../../channels/pinduoduo/map.ts';
import { readFrame } from '../../../channels/pinduoduo/push.ts';
import type { PinduoduoSettings } from '../../../channels/pinduoduo/settings.ts';
import { signCall, streamPath } from '../../../channels/pinduoduo/sign.ts';
import { messages } from '../../../simulators/pinduoduo/messages.ts';
import { extraOf, pinduoduo as protocol } from '../../../simulators/pinduoduo/protocol.ts';
import { expectedDigest, expectedSign } from '../../../simulators/pinduoduo/signing.ts';
import { NO_FAULTS, type Platform } from '../../../simulators/platform/protocol.ts';
import { advance } from '../../support/advance.ts';
import { accountOf } from '../support/platforms.ts';
import { ShopScene } from '../support/shop-scene.ts';

test('PUBLISHED: a call is signed over every field that has a value', () => {
  const fields = { client_id: 'test-client', data_type: 'JSON', logistics_id: '9', order_sn: '240101-1', order_state: '1', timestamp: '1720000000', type: 'pdd.erp.order.sync', version: 'V1', waybill_no: 'SF123' };
  const more = { ...fields, empty: '', sign: 'of another call' };
  for (const f of [fields, more]) expect([signCall(f, 'test-secret'), expectedSign(Object.entries(f), 'test-secret')]).toEqual(['CC0F30530BBAC3FD67608391D61E370C', 'CC0F30530BBAC3FD67608391D61E370C']);
});

test('PUBLISHED: the address of the message service', () => {
  const path = '/message/app/1700000000000/OTgxODMwNDI2NWZiN2NiNzA2NzIxOTI0ZjJlMDMxMjE%3D';
  expect([streamPath('app', 'secret', 1_700_000_000_000), `/message/app/1700000000000/${expectedDigest('app', '1700000000000', 'secret')}`]).toEqual([path, path]);
  const at = (now: number, of = path) => messages.admits(of, { settings: { clientId: 'app', clientSecret: 'secret' }, clock: () => now } as unknown as Platform);
  expect([at(1_700_000_000_000), at(1_700_000_600_000), at(1_700_000_600_001), at(1_700_000_000_000, path.replace('OTg', 'OTh')), at(1_700_000_000_000, '/message/app')]).toEqual([null, null, 401, 401, 404]);
});

describe('frames of the message service', () => {
  const frame = (message: string, more = '') => `{"id":9223372036854775807,"commandType":"Common","time":1700000000001,"sendTime":1700000000000,"message":${message}${more}}`;
  const confirmed = '{"type":"pdd_trade_TradeConfirmed","mallID":1000000000000000123,"content":"{\\"mall_id\\":1000000000000000123,\\"tid\\":\\"240101-1\\"}"}';

  it('names the fact and answers with the id to the last digit', () => {
    expect(readFrame(frame(confirmed), 1_700_000_000_500)).toEqual({
      kind: 'hints', owner: '1000000000000000123', hints: [{ subject: 'order', topic: 'pdd_trade_TradeConfirmed', externalId: '240101-1', key: 'pdd_trade_TradeConfirmed:240101-1:1700000000000', version: null }],
      ack: '{"id":9223372036854775807,"commandType":"Ack","time":1700000000500,"sendTime":1700000000000,"type":"pdd_trade_TradeConfirmed","mallID":1000000000000000123}',
    });
    expect(messages.read('{"id":9223372036854775807,"commandType":"Ack","time":1700000000500,"sendTime":1700000000000,"type":"t","mallID":1000000000000000123}')).toEqual({ kind: 'ack', id: '9223372036854775807' });
  });

  it('tells states of an after-sale apart by their own time', () => {
    const refund = (modified: number) => frame(`{"type":"pdd_refund_RefundCreated","mallID":5,"content":"{\\"mall_id\\":5,\\"tid\\":\\"240101-1\\",\\"refund_id\\":4705288465508532862,\\"operation\\":1000,\\"modified\\":${modified}}"}`);
    expect(readFrame(refund(1_700_000_000_009), 0)).toMatchObject({ owner: '5', hints: [{ key: 'pdd_refund_RefundCreated:240101-1:4705288465508532862:1000:1700000000009', version: 1_700_000_000_009 }] });
  });

  it.each([
    ['a heartbeat', '{"commandType":"HeartBeat","time":1700000000000}', { kind: 'idle' }], ['a command that nobody knows', '{"id":1,"commandType":"Fail","time":1}', { kind: 'idle' }],
    ['a message of goods', frame('{"type":"pdd_goods_GoodsUpdate","mallID":5,"content":"{\\"goods_id\\":77}"}'), { kind: 'hints', hints: [{ subject: 'product', externalId: '77' }] }],
    ['a message that points at nothing', frame('{"type":"pdd_chat","mallID":5,"content":"{}"}'), { kind: 'hints', hints: [] }],
    ['another mall in its content', frame('{"type":"pdd_trade_TradeConfirmed","mallID":5,"content":"{\\"mall_id\\":6,\\"tid\\":\\"1\\"}"}'), { kind: 'rejected', reason: 'malformed' }],
    ['content that is no JSON', frame('{"type":"t","mallID":5,"content":"{"}'), { kind: 'rejected', reason: 'malformed' }], ['no mall', frame('{"type":"t","content":"{}"}'), { kind: 'rejected', reason: 'malformed' }],
  ])('reads %s', (_name, text, wanted) => { expect(readFrame(text, 0)).toMatchObject(wanted); });
});

describe('an order as it is read', () => {
  const settings = { afterSaleStatus: { 3: 'requested', 10: 'done' }, platformDepots: [] } as unknown as PinduoduoSettings;
  const order = {
    order_sn: '240101-1', confirm_status: 1, order_status: 1, created_time: '2026-11-20 16:00:00', pay_time: '2026-11-20 16:00:05', updated_at: '2026-11-20 16:00:06', province: '浙江省', city: '杭州市', town: '西湖区', postage: 0.0, platform_discount: 1.5,
    receiver_name: '~AgAA~0~~', receiver_phone: '$Ag$0$$', receiver_address: '~AgBB~0~~', receiver_name_mask: '张**', receiver_phone_mask: '1*********8', receiver_address_mask: '文三路***', open_address_id: 'oaid',
    item_list: [{ goods_id: 1, sku_id: 4705288465508532, outer_id: 'A', goods_name: 'Shirt', goods_price: 0.1 + 0.2, goods_count: 3 }, { goods_id: 2, sku_id: 6, outer_id: 'B', goods_name: 'Cup', goods_price: 9.99, goods_count: 1 }], pay_amount: 8.89,
  };

  it('counts doubles in fen, and what the buyer does not pay by who gives it', () => {
    const seen = mapOrder(order, [], settings);
    expect([seen.lines.map((l) => [l.lineId, l.unitPrice, l.quantity, l.merchantCode]), seen.discounts, seen.version, seen.paidAt]).toEqual([
      [['4705288465508532', 30, 3, 'A'], ['6', 999, 1, 'B']], [{ bearer: 'platform', code: 'platform_discount', amount: 150 }, { bearer: 'shop', code: 'seller_discount', amount: 50 }], Date.UTC(2026, 10, 20, 8, 0, 6), Date.UTC(2026, 10, 20, 8, 0, 5)]);
    expect(() => mapOrder({ ...order, postage: 0.015 }, [], settings)).toThrow('more decimals than CNY');
  });

  it('keeps what is encrypted as it is, beside what is shown of it', () => {
    expect(mapOrder(order, [], settings).address).toEqual({
      name: '张**', phone: '1*********8', country: 'CN', province: '浙江省', city: '杭州市', district: '西湖区', street: '文三路***', token: 'oaid', sealed: { receiver_name: '~AgAA~0~~', receiver_phone: '$Ag$0$$', receiver_address: '~AgBB~0~~' },
    });
  });

  it.each([
    ['whose group is still open: not paid for us', { confirm_status: 0, group_status: 0 }, { status: 'unpaid', paidAt: null }], ['cancelled', { confirm_status: 2 }, { status: 'cancelled' }], ['signed for', { order_status: 3 }, { status: 'done' }],
    ['under review', { risk_control_status: 1, receiver_name: '', receiver_phone: '', receiver_address: '' }, { status: 'to_ship', address: null, keptBack: 'it is under review (风控审核中)' }],
    ['paused', { order_tag_list: [{ name: 'ship_hold', value: 1 }] }, { keptBack: 'shipping is paused (暂停发货)' }], ['with a tag that is not set', { order_tag_list: [{ name: 'ship_hold', value: 0 }] }, { keptBack: null }],
  ])('%s', (_name, change, wanted) => { expect(mapOrder({ ...order, ...change }, [], settings)).toMatchObject(wanted); });

  it('takes a return with a waybill for sent, and pieces for units; the waybill that the order went by is none of it', () => {
    const claim = (full: object) => mapOrder({ ...order, order_status: 2, tracking_number: 'SF1' }, [{ listed: { id: 9, sku_id: '6', refund_amount: '4.50', updated_time: '1700000000' }, full: { after_sales_status: 3, after_sales_type: 2, goods_number: 1, ...full } }], settings).afterSales[0];
    expect(claim({ express_no: 'YT1', shipping_name: '圆通' })).toMatchObject({ id: '9', kind: 'return', status: 'goods_sent', amount: 450, waybill: { carrier: '圆通', number: 'YT1' }, lines: [{ lineId: '6', quantity: 1 }], version: 1_700_000_000_000 });
    expect(claim({ express_no: 'SF1' })).toMatchObject({ status: 'requested', waybill: null });
    expect(claim({ sku_id: '4705288465508532', goods_number: 3, part_after_sales_type: 1, part_after_sales_value: 2 })?.lines).toEqual([{ lineId: '4705288465508532', quantity: 2 }]);
  });
});

test('lists are paged from their end: an order that changes meanwhile hides no other', async () => {
  const rig = await Rig.open({ kind, account: await accountOf('pinduoduo'), protocol });
  try {
    rig.platform.faults.dropPushes = true;
    for (const item of rig.platform.shop.items.values()) item.stock = 1_000;
    const from = rig.now() - 1000;
    const placed = Array.from({ length: 250 }, () => rig.place({ lines: [{ sku: 'P-1', quantity: 1 }] }).id);
    rig.advance(kind.backstop.lagS + 2);
    const window = { from, to: rig.now() - kind.backstop.lagS * 1000 };
    let calls = 0;
    // Each answer moves the oldest orders out of the window, and all behind them up.
    rig.platform.faults.meanwhile = () => { if (calls++ < 2) for (const id of placed.slice(calls * 3 - 3, calls * 3)) rig.platform.shop.changeAddress(id, { street: 'moved' }, false); };
    const ids = new Set<string>();
    for (let page: string | null = null; ;) {
      const { orders, next } = await rig.connector.changedOrders(window, page);
      for (const o of orders) ids.add(o.externalId);
      if (next === null) break;
      page = next;
    }
    expect(placed.slice(6).filter((id) => !ids.has(id))).toEqual([]);
    await expect(rig.connector.changedOrders({ from: 0, to: 1_800_000 }, null)).resolves.toEqual({ orders: [], next: null }); // further back than it lists
  } finally {
    await rig.close();
  }
});

describe('a shop on the simulator', () => {
  let scene: ShopScene;
  beforeAll(async () => {
    scene = await ShopScene.open('pinduoduo');
    await scene.list();
  });
  beforeEach(() => { Object.assign(scene.platform.faults, NO_FAULTS); });
  afterAll(async () => { await scene.close(); });
  const place = () => scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] }) as NonNullable<ReturnType<typeof scene.platform.shop.place>>;

  it('holds an order that is under review, and takes it when the review is over', async () => {
    const order = place();
    extraOf(scene.platform, order.id, { review: true });
    await scene.pushed();
    await scene.sync();
    expect(await scene.channelOrder(order.id)).toEqual({ state: 'held', reason: 'kept_back', order: null });
    extraOf(scene.platform, order.id, { review: false });
    scene.platform.shop.changeAddress(order.id, {}, false);
    await scene.pushed();
    await scene.sync();
    expect(await scene.channelOrder(order.id)).toMatchObject({ state: 'open', reason: null });
  });

  it('stops an order that the platform pauses later, and lets it go with the platform', async () => {
    const order = place();
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    const say = async (paused: boolean) => {
      extraOf(scene.platform, order.id, { paused });
      scene.platform.shop.changeAddress(order.id, {}, false);
      scene.world.now = new Date(scene.world.now.getTime() + 2000);
      await scene.pushed();
      await scene.sync();
      return [await scene.world.status(ours), await scene.world.one(`select count(*)::int n from order_holds where released_at is null and detail like 'kept back by the platform: %'`)];
    };
    expect(await say(true)).toEqual(['on_hold', { n: 1 }]);
    expect(await say(true)).toEqual(['on_hold', { n: 1 }]);
    expect(await say(false)).toEqual(['captured', { n: 0 }]);
  });

  it('tells the first parcel as the shipment and each further one once, though answers are lost', async () => {
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order?.id ?? ''))?.order ?? '';
    await advance(scene.world, ours);
    const [f] = await scene.world.fulfillments(ours);
    if (!f) throw new Error('nothing was routed');
    await scene.world.tell(f, { type: 'goods_issue', parcels: [
      { parcelNo: 1, carrier: 'sim', waybillNo: 'W-1', lines: [{ lineNo: 1, quantity: 2 }] }, { parcelNo: 2, carrier: 'sim', waybillNo: 'W-2', lines: [{ lineNo: 2, quantity: 1 }] }] });
    scene.platform.faults.nextTimeouts = 2;
    for (const seconds of [1, 60, 60, 60]) await scene.sync(seconds);
    expect([scene.platform.faults.nextTimeouts, scene.platform.shop.order(order?.id ?? '').parcels.map((p) => [p.carrier, p.number]), extraOf(scene.platform, order?.id ?? '').tracks])
      .toEqual([0, [['121', 'W-1']], [{ shipping_id: 121, tracking_number: 'W-2' }]]);
  });

  it('shows a stock that the platform will not lower as refused, with its reason', async () => {
    scene.platform.shop.item('P-4').locked = { campaign: 28, channel: 0 }; // all but two are kept for a campaign there
    await scene.world.capture({ lines: [{ sku: 'SKU-4', quantity: 20, unitPrice: 1000 }] });
    await scene.sync();
    expect(await scene.world.one(`select refused, pending from listings where platform_sku = 'P-4'`)).toEqual({ refused: expect.stringContaining('库存不能小于0') as string, pending: null });
  });

  it('keeps no refusal of an after-sale back: it is refused with what to do', async () => {
    const order = place();
    await scene.pushed();
    await scene.sync();
    const afterSale = scene.platform.shop.openAfterSale(order.id, { kind: 'refund' });
    await scene.pushed();
    await scene.sync();
    await scene.api('POST', `/v1/channels/${scene.code}/after-sales/${afterSale.id}/decision`, { externalId: order.id, approved: false, reason: 'it is on its way' });
    await scene.sync();
    const { items } = await scene.api<{ items: { kind: string; state: string; error: string | null }[] }>('GET', `/v1/channels/${scene.code}/reports`);
    expect(items.filter((r) => r.kind === 'after_sale').map((r) => [r.kind, r.state, r.error])).toEqual([['after_sale', 'refused', expect.stringContaining('refuse it in its back office')]]);
  });

  it('renews its token once for all who ask; a refresh token is good once', async () => {
    const { counts } = scene.platform;
    expect(counts['tokens']).toBe(1); // until now
    scene.world.now = new Date(scene.world.now.getTime() + 86_400_000);
    scene.restart();
    await Promise.all([scene.sync(), scene.sync()]);
    expect(counts['tokens']).toBe(2);
    const fields = { type: 'pdd.pop.auth.token.create', client_id: String(scene.account['clientId']), timestamp: String(Math.floor(scene.world.now.getTime() / 1000)), code: 'sim-code-once' };
    const again = await fetch(`${scene.platform.url}/api/router`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ ...fields, sign: signCall(fields, String(scene.account['clientSecret'])) }).toString() });
    expect(await again.json()).toMatchObject({ error_response: { sub_msg: 'code 已使用或不正确' } });
  });
});
