import { afterAll, beforeAll, expect, test } from 'vitest';
import { receive } from '../../carriers/sf/push.ts';
import { CarrierScene } from './support/carrier-scene.ts';

const OK = '<Response service="RoutePushService"><Head>OK</Head></Response>';
let scene: CarrierScene;
beforeAll(async () => {
  scene = await CarrierScene.open('sf');
  scene.settings['pushFormat'] = 'xml'; // of the simulator
});
afterAll(async () => { await scene.close(); });

test('routes that are pushed as XML in a form move the parcel, and are acknowledged in XML', async () => {
  const sent = await scene.send();
  await scene.move(sent, 'picked_up', 'in_transit', 'out_for_delivery', 'delivered');
  expect([await scene.milestone(sent), await scene.world.status(sent.order)]).toEqual(['delivered', 'delivered']);
  expect(scene.courier.pusher.records.map((r) => [r.status, r.body, r.acknowledged])).toEqual(scene.courier.pusher.records.map(() => [200, OK, true]));
  const { rows } = await scene.world.store.pool.query<{ source: string; city: string }>('select source_status source, city from tracking_events where waybill_no = $1 order by occurred_at', [sent.no]);
  expect(rows).toEqual(['50', '31', '44', '80'].map((source) => ({ source, city: '上海市' })));
  const before = await scene.effects();
  await scene.courier.pusher.again();
  for (const how of ['forged', 'truncated'] as const) expect(await scene.courier.pusher.bad(how)).toEqual({ status: 200, body: '<Response service="RoutePushService"><Head>ERR</Head><ERROR code="4001">malformed</ERROR></Response>', acknowledged: false });
  expect(await scene.effects()).toEqual(before);
});

test('what could not be kept is answered ERR, and the whole batch comes again', async () => {
  const sent = await scene.send();
  await scene.world.store.pool.query(`create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'no space left' using errcode = '53100'; end $$`);
  await scene.world.store.pool.query('create trigger full_disk before insert on tracking_events for each row execute function full_disk()');
  const seen = scene.courier.pusher.records.length;
  for (const step of ['picked_up', 'delivered'] as const) scene.courier.courier.move(sent.no, step);
  scene.courier.pusher.flush();
  await expect.poll(() => scene.courier.pusher.records.length).toBeGreaterThan(seen);
  expect(scene.courier.pusher.records[seen]).toMatchObject({ body: '<Response service="RoutePushService"><Head>ERR</Head><ERROR code="4001">not kept</ERROR></Response>', acknowledged: false });
  await scene.world.store.pool.query('drop function full_disk cascade');
  await scene.pushed();
  expect([await scene.milestone(sent), scene.courier.pusher.records.at(-1)?.body]).toEqual(['delivered', OK]);
});

test('attributes in either kind of quotes, with > in them and every kind of reference', () => {
  const document = `<Request service='RoutePushService'><Body><WaybillRoute id='1' mailno='SF1' acceptTime="2026-01-02 03:04:05" acceptAddress='A&#65;&#x4e2d;' remark="&lt;站点&gt; > 运输 &amp; &quot;&unknown;" opCode="31"/></Body></Request>`;
  const push = { method: 'POST', query: new URLSearchParams(), headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: Buffer.from(new URLSearchParams({ content: document }).toString()), now: 0, ip: '' };
  expect(receive({ code: 'sf', settings: {}, secrets: {} }, push)).toMatchObject({
    kind: 'events', events: [{ waybillNo: 'SF1', status: 'in_transit', occurredAt: '2026-01-01T19:04:05.000Z', city: 'AA中', description: '<站点> > 运输 & "&unknown;' }], reply: { contentType: 'text/xml; charset=utf-8', body: OK },
  });
});
