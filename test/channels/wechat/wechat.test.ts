import { afterEach, describe, expect, it, test } from 'vitest';
import { close, open, signature } from '../../../channels/wechat/crypto.ts';
import { receive } from '../../../channels/wechat/push.ts';
import { wechat as kind } from '../../../channels/wechat/index.ts';
import { readXml } from '../../../channels/wechat/xml.ts';
import { wechat } from '../../../simulators/wechat/protocol.ts';
import { digest, wrap } from '../../../simulators/wechat/signing.ts';
import { connectorOf } from '../support/connector-of.ts';
import { ShopScene } from '../support/shop-scene.ts';

const OFFICIAL = { token: 'AAAAA', key: 'A'.repeat(43), appId: 'wxba5fad812f8e6fb9' };
const DEBUG = {
  encrypted: '+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/'
    + 'P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=',
  message: '{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}',
};
const RECORDED = 'ZBY4h9SD1Y/v+ighMGU4yHSVWyMuf2UdQQfFuB8S/SY5il9MynR1rtKIJDG871vOqaCs0FVje6bX0VyhvL02PG7FXjRR+rAyiwVv7T7nBGgamkPeOv4n/jXgFQnY6NEt3Zym09t4aI+21pDcE6uN6JzcC+hxw5sBfVyza3NHyuLiyhvalsFbasA4HNcnK+4/3eZLMo+e6yvHUsY4WhmZWW5u5mHcDZm1jtI2fUtzod6Sx7'
  + 'PrCOhm+zUO1I98OD0EmICxHHMjMkGmSFuGhG8vXRKaRavzvV/fkscZK1HjW+XJOV0c9wYDZT+/LTjDS/yx5KkM5lIksiw57DsCro9gvmE1WdvB3bw3m+5ie2x1ZRSuh6ik1rbMTiXgJXt0MnbV8VsyPe1zhkbug1cwdhT9zcOTieb0oyiIl3wSAEkNNBNBaWB+78V1hM/ngMoZgKaaasJUCGtPH/rN+YnxGicDOg==';

describe('PUBLISHED vectors of the message push', () => {
  test.each([['1714036504', '1514711492', 'f464b24fc39322e44b38aa78f5edd27bd1441696'], ['1714037059', '486452656', '899cf89e464efb63f54ddac96b0a0a235f53aa78']])('PUBLISHED: address check at %s', (timestamp, nonce, right) => {
    expect([signature(OFFICIAL.token, timestamp, nonce), digest([OFFICIAL.token, timestamp, nonce])]).toEqual([right, right]);
    const query = new URLSearchParams({ signature: right, timestamp, nonce, echostr: '4375120948345356249' });
    expect(receive({ method: 'GET', query, headers: {}, body: Buffer.alloc(0), now: Number(timestamp) * 1000 }, { appId: OFFICIAL.appId, token: OFFICIAL.token, encodingAesKey: OFFICIAL.key, windowS: 300 }))
      .toMatchObject({ kind: 'probe', reply: { status: 200, body: '4375120948345356249' } });
  });

  test('PUBLISHED: an event is verified by msg_signature and opened', () => {
    const [timestamp, nonce] = ['1714112445', '415670741'];
    expect(signature(OFFICIAL.token, timestamp, nonce, DEBUG.encrypted)).toBe('046e02f8204d34f8ba5fa3b1db94908f3df2e9b3');
    expect(signature(OFFICIAL.token, timestamp, nonce)).toBe('6c5c811b55cc85e0e1b54100749188c20beb3f5d');
    const opened = open(DEBUG.encrypted, OFFICIAL.key);
    expect([opened.message, opened.appId, opened.random.toString('latin1'), Buffer.byteLength(opened.message)]).toEqual([DEBUG.message, OFFICIAL.appId, 'a8eedb185eb2fecf', 167]);
    expect(wrap(DEBUG.message, OFFICIAL.appId, OFFICIAL.key, 'a8eedb185eb2fecf')).toBe(DEBUG.encrypted);
    const push = (query: Record<string, string>, now = 1_714_112_445_000) => receive(
      { method: 'POST', query: new URLSearchParams({ timestamp, nonce, ...query }), headers: {}, body: Buffer.from(JSON.stringify({ ToUserName: 'gh_97417a04a28d', Encrypt: DEBUG.encrypted })), now },
      { appId: OFFICIAL.appId, token: OFFICIAL.token, encodingAesKey: OFFICIAL.key, windowS: 300 });
    expect(push({ msg_signature: '046e02f8204d34f8ba5fa3b1db94908f3df2e9b3' })).toMatchObject({ kind: 'hints', hints: [], reply: { body: 'success' } });
    // The address's own signature says nothing of the body.
    expect(push({ signature: '6c5c811b55cc85e0e1b54100749188c20beb3f5d', msg_signature: '6c5c811b55cc85e0e1b54100749188c20beb3f5d' })).toMatchObject({ kind: 'rejected', reason: 'signature' });
    expect(push({ msg_signature: '046e02f8204d34f8ba5fa3b1db94908f3df2e9b3' }, 1_714_112_745_000)).toMatchObject({ kind: 'hints' });
    expect(push({ msg_signature: '046e02f8204d34f8ba5fa3b1db94908f3df2e9b3' }, 1_714_112_746_001)).toMatchObject({ kind: 'rejected', reason: 'stale' });
  });

  test('PUBLISHED: an encrypted answer', () => {
    const encrypted = close('{"demo_resp":"good luck"}', OFFICIAL.appId, OFFICIAL.key, Buffer.from('707722b803182950'));
    expect(encrypted).toBe('ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==');
    expect(wrap('{"demo_resp":"good luck"}', OFFICIAL.appId, OFFICIAL.key, '707722b803182950')).toBe(encrypted);
    expect(signature(OFFICIAL.token, '1713424427', '415670741', encrypted)).toBe('1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1');
  });

  test("PUBLISHED: Tencent's demo, in text beyond ASCII", () => {
    const encrypted = 'jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==';
    const key = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
    expect(close('我是中文abcd123', 'wxb11529c136998cb6', key, Buffer.from('aaaabbbbccccdddd'))).toBe(encrypted);
    expect(wrap('我是中文abcd123', 'wxb11529c136998cb6', key, 'aaaabbbbccccdddd')).toBe(encrypted);
    expect(open(encrypted, key)).toMatchObject({ message: '我是中文abcd123', appId: 'wxb11529c136998cb6' });
  });
  test('DERIVED: the signature over that demo', () => {
    expect(signature('pamtest', '1409304348', 'xxxxxx', 'jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==')).toBe('82c962d39941aa48552f90ef55aa323dc620cc10');
  });

  test('PUBLISHED: a message that was recorded, in XML', () => {
    const [token, key] = ['pcoLldqMu2WQQtYBeDX5HiXPsBFlTnDM', 'CyjBvGm4tJNmcThkeL5Wajzom4jKlBygKtpTkYeqsnE'];
    const { Encrypt } = readXml(`<xml><ToUserName><![CDATA[wwedab3d5fc43636d8]]></ToUserName><Encrypt><![CDATA[${RECORDED}]]></Encrypt><AgentID><![CDATA[1000005]]></AgentID></xml>`)['xml'] as { Encrypt: string };
    expect(signature(token, '1623301925', '1624217036', Encrypt)).toBe('d728d2bea7e28585ebd14eacbd330d84073fe7f1');
    const { message } = open(Encrypt, key);
    expect(readXml(message)).toMatchObject({ xml: { FromUserName: 'WangChaoYi', CreateTime: '1623301925', MsgType: 'text', Content: '密文测试', MsgId: '6972028683187026694' } });
  });

  test('an order id beyond 2^53 stays exact; a declaration in XML is not read', () => {
    const event = '{"ToUserName":"gh_1","FromUserName":"o","CreateTime":1714112445,"MsgType":"event","Event":"channels_ec_order_pay","order_info":{"order_id":3705115058471208928,"pay_time":1714112444}}';
    const encrypted = wrap(event, OFFICIAL.appId, OFFICIAL.key);
    const query = new URLSearchParams({ timestamp: '1714112445', nonce: '1', msg_signature: digest([OFFICIAL.token, '1714112445', '1', encrypted]) });
    expect(receive({ method: 'POST', query, headers: {}, body: Buffer.from(JSON.stringify({ Encrypt: encrypted })), now: 1_714_112_445_000 }, { appId: OFFICIAL.appId, token: OFFICIAL.token, encodingAesKey: OFFICIAL.key, windowS: 300 }))
      .toMatchObject({ kind: 'hints', hints: [{ subject: 'order', topic: 'channels_ec_order_pay', externalId: '3705115058471208928', key: 'channels_ec_order_pay:3705115058471208928:1714112444:1714112445' }] });
    expect(() => readXml('<!DOCTYPE a [<!ENTITY x "y">]><xml><Encrypt>1</Encrypt></xml>')).toThrow(SyntaxError);
  });
});

describe('a shop on the simulator', () => {
  let scene: ShopScene;
  afterEach(async () => { await scene.close(); });
  const opened = async (): Promise<void> => {
    scene = await ShopScene.open('wechat');
    await scene.list();
  };

  it('has its address asked for an echo', async () => {
    await opened();
    expect(await scene.platform.pusher.probe()).toMatchObject({ status: 200, good: true });
  });

  it('leaves what unpaid orders lock to them', async () => {
    await opened();
    const { shop } = scene.platform;
    const unpaid = shop.place({ lines: [{ sku: 'P-1', quantity: 6 }], paid: false });
    await scene.pushed();
    await scene.sync();
    expect([shop.item('P-1').stock, shop.item('P-1').held, (await scene.channelOrder(unpaid?.id ?? ''))?.state]).toEqual([24, 6, 'open']);
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

  it('counts units kept for a discount and for one livestreamer as for sale, and takes off what it may of the rest', async () => {
    await opened();
    scene.platform.shop.item('P-1').locked = { campaign: 12, channel: 8 };
    expect(await (await connectorOf(scene, kind)).readStock?.([{ itemId: '9001', platformSku: 'P-1' }])).toEqual([{ platformSku: 'P-1', sellable: 30, held: 0, loose: 10 }]);
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 14, unitPrice: 1000 }] });
    await scene.sync();
    expect([scene.platform.shop.item('P-1').stock, await scene.world.one(`select refused, pending, granted - sold shown from listings where platform_sku = 'P-1'`)])
      .toEqual([20, { refused: expect.stringContaining('10 left') as string, pending: null, shown: 20 }]);
  });

  it('lists until there is no more, though pages are shorter than was asked and the last has a next_key', async () => {
    await opened();
    Object.assign(scene.platform.faults, { dropPushes: true });
    const orders = Array.from({ length: 25 }, () => scene.platform.shop.place({ lines: [{ sku: 'P-3', quantity: 1 }] })?.id ?? '');
    await scene.sync(310);
    expect((await scene.world.store.pool.query(`select 1 from channel_orders where external_id = any($1::text[]) and state = 'open'`, [orders])).rowCount).toBe(25);
  });

  it('takes a push that was signed when it was first tried, three and a half hours ago', async () => {
    await opened();
    scene.platform.faults.holdPushes = true;
    const order = scene.platform.shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.world.store.pool.query('update channel_shops set polled_at = $1', [new Date(scene.world.now.getTime() + 13_000_000)]); // the poll does not find it
    scene.world.now = new Date(scene.world.now.getTime() + 12_970_000);
    const [event] = scene.platform.pusher.untold;
    const late = event && wechat.push([event], scene.platform, { at: scene.world.now.getTime() - 12_970_000 });
    if (!late) throw new Error('nothing was to be pushed');
    const answer = await fetch(`${scene.platform.pusher.hookUrl}${late.query === '' ? '' : `?${late.query}`}`, { method: 'POST', headers: late.headers, body: late.body });
    expect([answer.status, await answer.text(), (await scene.world.one<{ n: number }>(`select count(*)::int n from channel_hints where external_id = $1 and source = 'push'`, order?.id)).n]).toEqual([200, 'success', 1]);
  });

  it('takes the token that all share, and another once it has expired', async () => {
    await opened();
    expect(scene.platform.counts['tokens']).toBe(1);
    scene.restart();
    await scene.sync();
    expect(scene.platform.counts['tokens']).toBe(1);
    scene.world.now = new Date(scene.world.now.getTime() + 7_200_000);
    await Promise.all([scene.sync(), scene.sync()]);
    expect(scene.platform.counts['tokens']).toBe(2);
  });
});
