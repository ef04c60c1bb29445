import { expect, it } from 'vitest';
import { everyPlatform } from '../support/every-platform.ts';

/** What every platform's pushes and calls meet: forgeries, throttling, an hour down, a wrong address. */
everyPlatform((shop) => {
  const { kind, capabilities, pushed, platform } = shop;

  it.runIf(pushed)('believes no forged, truncated or stale push, in its own words, and keeps only the count', async () => {
    const scene = await shop.selling();
    shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    const { rows: [{ n: hints } = { n: '' }] } = await scene.world.store.pool.query<{ n: string }>('select count(*) n from channel_hints');
    const ways = ['forged', 'truncated', ...capabilities.signedTime ? ['stale'] as const : []] as const;
    const answers = [];
    for (const how of ways) answers.push((await scene.platform.pusher.bad(how)).acknowledged);
    const counted = async (): Promise<number> => Number((await scene.world.one<{ n: string }>('select coalesce(sum(count), 0) n from push_rejections')).n);
    await expect.poll(counted).toBeGreaterThanOrEqual(ways.length); // over a stream nobody is told that it was counted
    expect({ answers, counted: await counted(), hints: (await scene.world.one<{ n: string }>('select count(*) n from channel_hints')).n }).toEqual({ answers: ways.map(() => false), counted: ways.length, hints });
    if (capabilities.push === 'stream') {
      expect([scene.streamed.filter((o) => o !== 'accepted'), scene.streamed.includes('accepted')]).toEqual([['unknown_app', 'malformed'], true]);
      return;
    }
    const series = [...(await scene.app.inject('/metrics')).body.matchAll(/^tributary_pushes_total\{sender="([^"]*)",outcome="([^"]*)"\} (\d+)$/gm)].map(([, sender, outcome, n]) => [sender, outcome, Number(n)] as const);
    expect(new Set(series.map(([sender]) => sender))).toEqual(new Set([platform]));
    expect(series.filter(([, outcome]) => outcome !== 'accepted' && outcome !== 'probe').reduce((sum, [, , n]) => sum + n, 0)).toBe(ways.length);
    expect(series.some(([, outcome, n]) => outcome === 'accepted' && n > 0)).toBe(true);
  });

  it('waits as long as the platform wants when it is asked too fast', async () => {
    const scene = await shop.selling();
    Object.assign(scene.platform.faults, { nextThrottled: 2 });
    const order = shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    for (let i = 0; i < 3; i++) await scene.sync(60);
    expect((await scene.channelOrder(order.id))?.state).toBe('open');
  });

  it('works a backlog off after an hour of the platform being down, within its limits and each order in its order', async () => {
    const scene = await shop.selling();
    const families = Object.keys(kind.limits);
    await scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url }, limits: Object.fromEntries(families.map((f) => [f, { perSecond: 50, burst: 5 }])) });
    scene.platform.faults.down = true;
    const orders = Array.from({ length: 9 }, (_, n) => shop.place({ lines: [{ sku: `P-${(n % 3) + 1}`, quantity: 1 }], paid: false }));
    for (const o of orders) scene.platform.shop.pay(o.id);
    for (const o of orders.slice(6)) scene.platform.shop.cancel(o.id);
    await scene.pushed();
    await scene.sync();
    expect(await scene.orderCount()).toBe(0);
    scene.platform.faults.down = false;
    // A family that has no limit of its own has that of `*`, in a bucket of its own.
    const asked = new Map<string, number>();
    const { raw } = scene.world;
    Object.assign(scene.world, { raw: (...[call, timeoutMs]: Parameters<typeof raw>) => { asked.set(call.family, (asked.get(call.family) ?? 0) + 1); return raw(call, timeoutMs); } });
    scene.restart();
    const began = performance.now();
    await scene.sync(3600);
    const most = 5 + ((performance.now() - began) / 1000) * 50 + 1;
    expect(asked.size).toBeGreaterThan(0);
    expect([...asked].filter(([, calls]) => calls > most)).toEqual([]);
    const states = await Promise.all(orders.map((o) => scene.channelOrder(o.id)));
    // What was cancelled before we ever heard of it is none of ours.
    expect(states.map((o) => [o?.state, o?.reason])).toEqual(orders.map((_o, n) => (n < 6 ? ['open', null] : ['ignored', 'cancelled_before_capture'])));
    const events = await scene.world.store.pool.query<{ types: string[] }>(`select array_agg(type order by id) types from order_events group by order_id`);
    expect([events.rowCount, new Set(events.rows.map((r) => r.types[0])).size]).toEqual([6, 1]);
    // What a platform does not put back by itself the next comparison gives back.
    await scene.sync(3700);
    await scene.proven();
    // Where unpaid orders are hidden it may be theirs: not before none can be that old.
    if (kind.unpaidS !== undefined) {
      expect([1, 2, 3].map((n) => shop.stockOf(`P-${n}`))).toEqual([27, 27, 27]);
      await scene.sync(kind.unpaidS);
      await scene.proven();
    }
    expect([1, 2, 3].map((n) => shop.stockOf(`P-${n}`))).toEqual([1, 2, 3].map(() => 28));
  });

  it.runIf(pushed && capabilities.push !== 'stream')('is deaf to pushes for a shop that is not there', async () => {
    const scene = await shop.selling();
    const right = scene.platform.pusher.hookUrl;
    scene.platform.pusher.hookUrl = right.replace(/[^/]+$/, 'somebody-elses-address');
    shop.place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    Object.assign(scene.platform.faults, { copies: 1 });
    scene.platform.pusher.flush();
    await expect.poll(() => scene.platform.pusher.records.length).toBeGreaterThan(0);
    expect([scene.platform.pusher.records.some((r) => r.acknowledged), scene.platform.pusher.records[0]?.status, await scene.world.one('select (select count(*)::int from channel_hints where source = \'push\') hints, (select count(*)::int from push_rejections) rejected')])
      .toEqual([false, 404, { hints: 0, rejected: 0 }]);
  });
});
