import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { carrierKinds } from '../../carriers/registry.ts';
import { decodeId } from '../../domain/ids.ts';
import { PartnerThrottled, PartnerUnavailable } from '../../domain/http-port.ts';
import { NO_FAULTS } from '../../simulators/courier/courier.ts';
import { CarrierScene } from './support/carrier-scene.ts';

/** The same for every carrier, tracker and waybill service of the registry, against its simulator, through the API and the database. */
describe.each(carrierKinds.map((kind) => [kind.kind, kind] as const))('%s', (name, kind) => {
  const { capabilities } = kind;
  const issues = capabilities.waybills !== 'none';
  const pushes = capabilities.push !== 'none';
  let scene: CarrierScene;
  let hookUrl: string;
  beforeAll(async () => {
    scene = await CarrierScene.open(name);
    ({ hookUrl } = scene.courier.pusher);
  });
  afterEach(() => {
    Object.assign(scene.courier.faults, NO_FAULTS);
    scene.courier.pusher.forget();
    scene.courier.pusher.hookUrl = hookUrl;
  });
  afterAll(async () => { await scene.close(); });
  const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then((value) => value, (error: unknown) => error);
  /** Runs an activity as the worker does. */
  const attempt = <T>(run: () => Promise<T>, n = 1): Promise<T> => new MockActivityEnvironment({ attempt: n }).run(run);
  /** How many numbers the other side has given for a fulfillment order and not taken back. */
  const given = ({ id }: { id: string }): number => [...scene.courier.courier.parcels.values()].filter((p) => p.status !== 'cancelled' && p.orderId === id).length;

  it.runIf(pushes || capabilities.polls)('carries an order to its receiver, and keeps the carrier\'s own words', async () => {
    const sent = await scene.send();
    await scene.move(sent, 'picked_up', 'in_transit', 'out_for_delivery', 'delivered');
    if (!pushes) {
      scene.later(3);
      await scene.tend.poll();
    }
    expect(await scene.world.status(sent.order)).toBe('delivered');
    const { rows } = await scene.world.store.pool.query<{ status: string; source: string; by: string | null; description: string }>(
      `select status, source_status source, told_by "by", description from tracking_events where waybill_no = $1 and status <> 'note' order by occurred_at`, [sent.no]);
    expect(rows.at(-1)).toMatchObject({ status: 'delivered', by: scene.account === scene.carrier ? null : scene.account });
    expect(rows.at(-1)?.source).toBe(scene.courier.protocol.word('delivered'));
    // Nobody is named outside the vault.
    expect(rows.map((r) => r.description).join(' ')).not.toMatch(/138001|张三|王小二/);
    expect((await scene.world.events(sent.order)).filter((e) => e === 'parcel.delivered')).toEqual(['parcel.delivered']);
  });

  it.runIf(issues)('gives a label, the same bytes however often it is printed', async () => {
    const { f, no } = await scene.send();
    expect(no).toBe(scene.courier.courier.byOrder.get(f.id)?.no);
    const [first, second] = [await scene.label(f), await scene.label(f)];
    expect([first.status, first.type.split(';')[0]]).toEqual([200, capabilities.label === 'print_data' ? 'application/json' : 'application/pdf']);
    if (capabilities.label !== 'print_data') expect([first.bytes.subarray(0, 5).toString(), first.bytes.toString('latin1').trimEnd().slice(-5)]).toEqual(['%PDF-', '%%EOF']);
    expect(first.bytes.equals(second.bytes)).toBe(true);
    // Kept once, and nobody reads it without the receiver's key.
    const { rows } = await scene.world.store.pool.query<{ c: Buffer }>(`select ciphertext c from vault_records v join waybills w on w.label_id = v.id where v.kind = 'label' and w.request_id = $1`, [f.id]);
    expect([rows.length, rows.some((r) => r.c.includes('%PDF'))]).toEqual([1, false]);
  });

  it.runIf(issues)('gives one waybill though the answer is lost after it was made', async () => {
    const routed = await scene.routed();
    scene.courier.faults.nextTimeouts = 1;
    expect(await failure(attempt(() => scene.ship(routed)))).toBeInstanceOf(PartnerUnavailable);
    scene.restart();
    const f = await attempt(() => scene.ship(routed), 2);
    expect([given(routed.f), f.waybillNo, await scene.waybills(routed.order)]).toEqual([1, scene.courier.courier.byOrder.get(f.id)?.no, [{ account: scene.account, state: 'issued', waybillNo: f.waybillNo }]]);
  });

  it.runIf(issues)('asked at the same time by two workers it gives one waybill', async () => {
    const routed = await scene.routed();
    const results = await Promise.all([1, 2].map(() => failure(attempt(() => scene.ship(routed)))));
    // Who was second may have been told to come again; nobody got another number.
    const f = results.some((r) => r instanceof Error) ? await attempt(() => scene.ship(routed), 2) : (await scene.world.fulfillments(routed.order))[0];
    expect([f?.waybillNo, (await scene.waybills(routed.order)).map((w) => w.waybillNo)]).toEqual([scene.courier.courier.byOrder.get(routed.f.id)?.no, [f?.waybillNo]]);
  });

  it.runIf(issues)('waits when it is asked too fast, and then goes on', async () => {
    const routed = await scene.routed();
    scene.courier.faults.nextThrottled = 1;
    const first = await failure(attempt(() => scene.ship(routed)));
    expect(first).toBeInstanceOf(PartnerUnavailable);
    // A long pause is not waited for; a process that does not know of it asks again.
    if (first instanceof PartnerThrottled && first.retryAfterMs > 2_000) scene.restart();
    expect((await attempt(() => scene.ship(routed), 2)).waybillNo).not.toBeNull();
    expect(given(routed.f)).toBe(1);
  });

  it.runIf(issues && capabilities.cancel)('takes a waybill back with its order', async () => {
    const routed = await scene.routed();
    const f = await scene.ship(routed);
    await scene.api('POST', `/v1/orders/${routed.order}/cancel`, { reason: 'changed my mind' });
    await attempt(() => scene.activities.recall({ orderId: routed.order, fulfillmentOrderId: f.id }));
    expect((await scene.waybills(routed.order)).map((w) => w.state)).toEqual(['void']);
    await scene.tend.settleWaybills();
    expect([scene.courier.courier.byOrder.get(f.id)?.status, await scene.waybills(routed.order)]).toEqual(['cancelled', [{ account: scene.account, state: 'cancelled', waybillNo: f.waybillNo }]]);
  });

  it.runIf(issues && capabilities.cancel)('is not left with a number that nobody uses when its answers are lost and the parcel goes by another carrier', async () => {
    await scene.world.database.pool.query(`update carriers set active = true where code = 'sim'`);
    await scene.world.store.network.reload();
    const routed = await scene.routed();
    await scene.world.database.pool.query('update fulfillment_orders set carrier = $1 where id = $2', [scene.carrier, decodeId('ful', routed.f.id)]);
    scene.courier.faults.nextTimeouts = 1;
    const f = await attempt(() => scene.ship(routed), 6);
    expect([f.waybillNo, (await scene.waybills(routed.order)).map((w) => [w.account, w.state])]).toEqual([`W-${f.id}`, [[scene.account, 'void'], ['sim', 'issued']]]);
    scene.later(0.1);
    await scene.tend.settleWaybills();
    await scene.world.database.pool.query(`update carriers set active = false where code = 'sim'`);
    await scene.world.store.network.reload();
    const known = name === 'wechat-waybill' || (name !== 'generic' && capabilities.waybills !== 'platform'); // these take back by number only, and none was received
    expect((await scene.waybills(routed.order)).map((w) => [w.account, w.state])).toEqual([[scene.account, known ? 'cancelled' : 'kept'], ['sim', 'issued']]);
    expect(given(routed.f)).toBe(known ? 0 : 1);
  });

  it.runIf(pushes)('takes pushes ten times over, shuffled, and again three days later as one', async () => {
    const sent = await scene.send();
    Object.assign(scene.courier.faults, { copies: 10, shuffle: true });
    await scene.move(sent, 'picked_up', 'in_transit', 'out_for_delivery', 'delivered');
    expect(await scene.milestone(sent)).toBe('delivered');
    const before = await scene.effects();
    expect((await scene.world.events(sent.order)).filter((e) => e === 'parcel.delivered')).toHaveLength(1);
    Object.assign(scene.courier.faults, { copies: 1 });
    scene.later(72);
    await scene.courier.pusher.again();
    expect(await scene.effects()).toEqual(before);
    if (!capabilities.polls) return;
    // What is asked for is what was pushed.
    await scene.world.store.pool.query(`update parcels set milestone = 'in_transit' where waybill_no = $1`, [sent.no]);
    scene.later(3);
    expect([await scene.tend.poll(), (await scene.effects())['tracking']]).toEqual([0, before['tracking']]);
  });

  it.runIf(pushes)('never goes back out of delivered, but for a return', async () => {
    const sent = await scene.send();
    await scene.move(sent, 'picked_up', 'delivered');
    await scene.move(sent, 'in_transit');
    expect(await scene.milestone(sent)).toBe('delivered');
    if (scene.courier.protocol.word('returning') === null) return;
    await scene.move(sent, 'returning');
    expect(await scene.milestone(sent)).toBe('returning');
    if (scene.courier.protocol.word('returned') !== null) await scene.move(sent, 'returned');
    const { exceptions } = await scene.api<{ exceptions: { kind: string; order: string; waybillNo: string }[] }>('GET', '/v1/parcel-exceptions');
    expect(exceptions.filter((e) => e.order === sent.order)).toMatchObject([{ kind: 'returned', order: sent.order, waybillNo: sent.no }]);
    expect((await scene.world.events(sent.order)).filter((e) => e.includes('exception_raised'))).toHaveLength(1);
  });

  it.runIf(pushes)('believes no forged, truncated or stale push, in its own words, and keeps only the count', async () => {
    const sent = await scene.send();
    await scene.move(sent, 'picked_up');
    const before = await scene.effects();
    const ways = ['forged', 'truncated', ...capabilities.signedTime ? ['stale'] as const : []] as const;
    const answers = [];
    for (const how of ways) answers.push((await scene.courier.pusher.bad(how)).acknowledged);
    expect({ answers, effects: await scene.effects() }).toEqual({ answers: ways.map(() => false), effects: before });
    const { state } = await scene.api<{ state: { rejectedPushes: Record<string, number> } }>('GET', `/v1/carrier-accounts/${scene.account}`);
    expect(Object.values(state.rejectedPushes).reduce((a, b) => a + b, 0)).toBe(ways.length);
    // Nor does it listen at an address that was guessed.
    scene.courier.pusher.hookUrl = `${hookUrl.slice(0, hookUrl.lastIndexOf('/'))}/guessed`;
    await scene.courier.pusher.again();
    expect([scene.courier.pusher.records.at(-1)?.status, await scene.effects()]).toEqual([404, before]);
  });

  it.runIf(pushes)('gets the whole batch again until it has been kept', async () => {
    const sent = await scene.send();
    await scene.world.store.pool.query(`create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'no space left' using errcode = '53100'; end $$`);
    await scene.world.store.pool.query('create trigger full_disk before insert on tracking_events for each row execute function full_disk()');
    for (const step of ['picked_up', 'in_transit', 'delivered'] as const) {
      scene.later(1);
      scene.courier.courier.move(sent.no, step);
    }
    scene.courier.pusher.flush();
    while (scene.courier.pusher.records.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const refused = scene.courier.pusher.records.every((r) => !r.acknowledged);
    await scene.world.store.pool.query('drop function full_disk cascade');
    await scene.pushed();
    expect(refused).toBe(true);
    expect([await scene.milestone(sent), scene.courier.pusher.records.at(-1)?.acknowledged]).toEqual(['delivered', true]);
  });

  it.runIf(capabilities.polls)('finds by its poll what was never pushed', async () => {
    const sent = await scene.send();
    scene.courier.faults.dropPushes = true;
    await scene.move(sent, 'picked_up', 'in_transit', 'out_for_delivery', 'delivered');
    expect(await scene.milestone(sent)).toBe('issued');
    scene.later(3);
    await scene.tend.poll();
    expect(await scene.world.status(sent.order)).toBe('delivered');
  });

  it.runIf(capabilities.subscribes)('is told of each parcel, again when it was not there, and twice does no harm', async () => {
    const routed = await scene.routed();
    const f = await scene.ship(routed);
    scene.courier.faults.down = true;
    const sent = await scene.leave(routed.order, f);
    const state = async () => (await scene.world.one<{ state: string }>('select f.state from parcel_follows f join parcels p on p.id = f.parcel_id where p.waybill_no = $1', sent.no)).state;
    expect(await state()).toBe('due');
    scene.courier.faults.down = false;
    scene.later(1);
    await scene.tend.announce();
    expect([await state(), sent.there.followed]).toEqual(['done', true]);
    await scene.world.store.pool.query(`update parcel_follows set state = 'due' where parcel_id = (select id from parcels where waybill_no = $1)`, [sent.no]);
    scene.later(1);
    await scene.tend.announce();
    expect(await state()).toBe('done');
  });

  it.runIf(scene_tokens(kind))('gets another token when its own has ended', async () => {
    const serial = async () => (await scene.world.one<{ serial: number }>('select serial from carrier_tokens')).serial;
    await scene.send();
    const before = await serial();
    scene.courier.expireTokens();
    expect((await scene.send()).no).not.toBe('');
    expect(await serial()).toBe(before + 1);
    // And before its time is over, so that no call is lost.
    scene.later(30 * 24);
    await scene.send();
    expect(await serial()).toBe(before + 2);
  });
});

function scene_tokens(kind: (typeof carrierKinds)[number]): boolean { return kind.capabilities.token === 'refresh' || kind.capable?.({ auth: 'token' }).token === 'refresh'; }
