import { afterEach, describe, expect, it, test } from 'vitest';
import { receive } from '../../../channels/kuaishou/push.ts';
import { openPush, signCall } from '../../../channels/kuaishou/sign.ts';
import { expectedSign, seal } from '../../../simulators/kuaishou/signing.ts';
import { ShopScene } from '../support/shop-scene.ts';

const FIELDS = { access_token: 'token', appkey: 'ks123', method: 'open.seller.order.list', param: '{"title":"短袖"}', signMethod: 'HMAC_SHA256', timestamp: '1583271919000', version: '1' };
const KEY = 'MDEyMzQ1Njc4OWFiY2RlZg==';
const PLAIN = '{"eventId":"267_2345_147402","bizId":201560025620985,"userId":12342323,"openId":"o","appKey":"ks123","event":"kwaishop_order_addOrder",'
  + '"info":"{\\"oid\\":201560025620985,\\"sellerId\\":12342323,\\"status\\":10,\\"updateTime\\":1591274070333}","createTime":1591274070333}';
const SEALED = 'dfeWYlIikAu1qaaojGdMcEMXubOI0qjqohiEU2r9QrT37r/7U8olXAX6jFtiPstLH+idIXHAFuV8cYGHWv2i7JuoAoa2GbjuOO/p5YG0KD4ZwUD0mfKMXDDuu0oZ+uGi5HePAdfFfEvlc15xWYQa6ulEkOLoWb7v1H2CaBJUj0x0zNNPUeUaHjKFDf/BWzBeucWVV6OavHfBeRVTvo6gAp0ZYi4R2HWgnULDZhqATZg'
  + '+vMVR47HaF9IoIf2u1FDda5DBXjv26OxIoLemUkCTJ5Y4uLu9EVUAH1xjcTqyVSRuC8rL6yLH5MsZWV9v7j3Fb+EK41kUMYXmwns6f9DEAi9YgJsFDJRKfJCdRQB0kEY=';
const push = (body: string) => ({ method: 'POST', query: new URLSearchParams(), headers: {}, body: Buffer.from(body), now: 0 });

describe('signatures and messages (DERIVED vectors: both sides follow the same reading of the protocol)', () => {
  test.each([['HMAC_SHA256', 'ZpPrG0oB1g/T93FyyVD+VCzRey41yqxZoCqcGg7upYM='], ['MD5', '6005da269b372ff10945e565ef37a4c6']])('DERIVED: a call signed by %s', (signMethod, sign) => {
    expect(signCall({ ...FIELDS, signMethod }, 'sign-secret')).toBe(sign);
    expect(expectedSign(new Map(Object.entries({ ...FIELDS, signMethod, sign: 'left out' })), 'sign-secret')).toBe(sign);
  });

  test('DERIVED: an encrypted message', () => {
    expect(openPush(Buffer.from(SEALED), KEY)).toBe(PLAIN);
    expect(seal(PLAIN, KEY)).toBe(SEALED);
    expect(receive(push(SEALED), 'ks123', KEY)).toMatchObject({
      kind: 'hints', reply: { status: 200, body: '{"result":1}' },
      hints: [{ subject: 'order', topic: 'kwaishop_order_addOrder', externalId: '201560025620985', key: 'kwaishop_order_addOrder:201560025620985:10:1591274070333', version: 1_591_274_070_333 }],
    });
  });

  test.each([
    ['for another app', seal(PLAIN.replace('ks123', 'ks124'), KEY), 'unknown_app'], ['under another key', seal(PLAIN, Buffer.from('fedcba9876543210').toString('base64')), 'signature'],
    ['in the clear', PLAIN, 'signature'], ['cut off', SEALED.slice(0, -8), 'signature'], ['empty', '', 'signature'],
  ])('a message %s is refused with a result that is not 1', (_name, body, reason) => {
    expect(receive(push(body), 'ks123', KEY)).toMatchObject({ kind: 'rejected', reason, reply: { status: 200, body: expect.stringMatching(/^\{"result":0,/) as string } });
  });

  test('the heartbeat is answered, and is no event', () => {
    expect(receive(push(seal('{"test":true}', KEY)), 'ks123', KEY)).toEqual({ kind: 'probe', reply: { status: 200, contentType: 'application/json; charset=utf-8', body: '{"result":1}' } });
  });
});

describe('a shop on the simulator', () => {
  let scene: ShopScene;
  afterEach(async () => { await scene.close(); });
  const opened = async (): Promise<void> => {
    scene = await ShopScene.open('kuaishou');
    await scene.list();
  };

  it('is paused by a failed heartbeat, misses what happens meanwhile, and finds it by the poll', async () => {
    await opened();
    const { pusher, shop } = scene.platform;
    expect([await pusher.heartbeat(), pusher.paused]).toEqual([true, false]);
    const right = pusher.hookUrl;
    pusher.hookUrl = `${right}-wrong`;
    expect([await pusher.heartbeat(), pusher.paused]).toEqual([false, true]);
    pusher.hookUrl = right;
    const missed = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    expect(pusher.records).toEqual([]);
    expect([await pusher.heartbeat(), pusher.paused]).toEqual([true, false]);
    const told = shop.place({ lines: [{ sku: 'P-2', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    expect([await scene.channelOrder(missed?.id ?? ''), await scene.channelOrder(told?.id ?? '')]).toMatchObject([null, { state: 'open' }]);
    await scene.sync(301);
    expect(await scene.channelOrder(missed?.id ?? '')).toMatchObject({ state: 'open' });
  });

  it('lists to the word "nomore", though pages are shorter than was asked', async () => {
    await opened();
    Object.assign(scene.platform.faults, { dropPushes: true });
    const orders = Array.from({ length: 25 }, () => scene.platform.shop.place({ lines: [{ sku: 'P-3', quantity: 1 }] })?.id ?? '');
    await scene.sync(310);
    expect((await scene.world.store.pool.query(`select 1 from channel_orders where external_id = any($1::text[]) and state = 'open'`, [orders])).rowCount).toBe(25);
  });

  it('renews its token once for all who ask, and the old refresh token is dead', async () => {
    await opened();
    const { counts } = scene.platform;
    expect(counts['tokens']).toBe(1);
    scene.world.now = new Date(scene.world.now.getTime() + 172_800_000);
    scene.restart();
    await Promise.all([scene.sync(), scene.sync()]);
    expect(counts['tokens']).toBe(2);
    const form = new URLSearchParams({ app_id: String(scene.account['appKey']), app_secret: String(scene.account['appSecret']), grant_type: 'code', code: 'sim-code-once' });
    const again = await (await fetch(`${scene.platform.url}/oauth2/access_token`, { method: 'POST', body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } })).json() as { result: number };
    expect(again.result).not.toBe(1);
  });

  it('keeps what it cannot read sealed, beside the number that opens it', async () => {
    await opened();
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    const { order: ours } = await scene.channelOrder(order?.id ?? '') ?? {};
    const detail = await scene.api<{ destination: Record<string, unknown> }>('GET', `/v1/orders/${ours ?? ''}`);
    expect(JSON.stringify(detail)).not.toContain('13800000001');
    expect(detail.destination).toMatchObject({ province: 'Zhejiang', city: 'Hangzhou' });
  });

  it('units that were sold on their way to us are taken off with what is left, whatever the platform says to more than that', async () => {
    await opened();
    const { shop } = scene.platform;
    Object.assign(scene.platform.faults, { holdPushes: true });
    const sold = shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1/publishing`, { mode: 'zero' });
    await scene.world.store.pool.query('update channel_shops set polled_at = $1', [scene.world.now]);
    await scene.sync();
    // 30 less are refused: 28 are there.
    expect([await scene.channelOrder(sold?.id ?? ''), shop.item('P-1').stock, await scene.world.one(`select refused, pending, granted from listings where platform_sku = 'P-1'`)]).toEqual([null, 0, { refused: null, pending: null, granted: 2 }]);
    Object.assign(scene.platform.faults, { holdPushes: false });
    await scene.pushed();
    await scene.proven();
    await scene.proven();
    expect([(await scene.channelOrder(sold?.id ?? ''))?.state, shop.item('P-1').stock, await scene.world.one(`select refused, granted, sold, reading from listings where platform_sku = 'P-1'`), await scene.world.one('select count(*)::int n from listing_drifts')])
      .toEqual(['open', 0, { refused: null, granted: 2, sold: 2, reading: null }, { n: 0 }]);
  });

  it('what the platform will not lower at all is kept as refused, and asked for no more in that look', async () => {
    await opened();
    const { shop } = scene.platform;
    Object.assign(scene.platform.faults, { holdPushes: true });
    shop.place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    shop.item('P-1').locked = { campaign: 28, channel: 0 };
    await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1/publishing`, { mode: 'zero' });
    await scene.world.store.pool.query('update channel_shops set polled_at = $1', [scene.world.now]);
    const facts = await scene.sync();
    expect([facts.busy, shop.item('P-1').stock, await scene.world.one(`select refused, pending, granted from listings where platform_sku = 'P-1'`), await scene.world.one('select count(*)::int n from listing_changes')])
      .toEqual([false, 28, { refused: expect.stringContaining('当前库存不足') as string, pending: null, granted: 30 }, { n: 0 }]);
  });
});
