import { afterEach, describe, expect, it } from 'vitest';
import { channelKinds } from '../../channels/registry.ts';
import { advance } from '../support/advance.ts';
import { ShopScene } from './support/shop-scene.ts';

/** The same for every platform of the registry, against its simulator, through the API, the database and the shop's look. */
describe.each(channelKinds.map((kind) => [kind.platform, kind] as const))('%s', (platform, kind) => {
  let scene: ShopScene;
  afterEach(async () => { await scene.close(); });
  const { capabilities } = kind;
  const pushed = capabilities.push === 'signed' || capabilities.push === 'encrypted' || capabilities.push === 'stream';
  const stockOf = (sku: string): number => scene.platform.shop.item(sku).stock;
  const place = (...args: Parameters<typeof scene.platform.shop.place>) => scene.platform.shop.place(...args) as NonNullable<ReturnType<typeof scene.platform.shop.place>>;

  /** All listings are known to us and told: 30 of each. */
  async function selling(settings: Record<string, unknown> = {}): Promise<void> {
    scene = await ShopScene.open(platform, settings);
    await scene.api('POST', `/v1/channels/${scene.code}/listings`, { mappings: [1, 2, 3, 4].map((n) => ({ platformSku: `P-${n}`, components: [{ sku: `SKU-${n}`, quantity: 1 }] })) });
    await scene.world.store.pool.query(`update listings set item_id = '900' || right(platform_sku, 1)`);
    await scene.sync();
  }

  it('tells the platform what may be sold, takes its order, and leaves the platform its own sale', async () => {
    await selling();
    expect([1, 2, 3, 4].map((n) => stockOf(`P-${n}`))).toEqual([30, 30, 30, 30]);
    const order = place({ lines: [{ sku: 'P-1', quantity: 2, unitPrice: 1500 }, { sku: 'P-2', quantity: 1 }], freight: 800 });
    await scene.pushed();
    await scene.sync();
    const ours = await scene.channelOrder(order.id);
    expect(ours).toMatchObject({ state: 'open', reason: null });
    const detail = await scene.api<{ money: { total: number }; externalId: string; lines: { sku: string; quantity: number; unitPrice: number }[] }>('GET', `/v1/orders/${ours?.order ?? ''}`);
    expect({ total: detail.money.total, externalId: detail.externalId, lines: detail.lines.map((l) => [l.sku, l.quantity, l.unitPrice]) })
      .toEqual({ total: 5800, externalId: order.id, lines: [['SKU-1', 2, 1500], ['SKU-2', 1, 2000]] });
    await scene.sync();
    expect([stockOf('P-1'), stockOf('P-2'), stockOf('P-3')]).toEqual([28, 29, 30]);
  });

  it('takes pushes ten times over, shuffled, and again three days later as one', async () => {
    await selling();
    Object.assign(scene.platform.faults, { copies: 10, shuffle: true });
    const orders = [place({ lines: [{ sku: 'P-1', quantity: 1 }] }), place({ lines: [{ sku: 'P-2', quantity: 2 }], paid: false }), place({ lines: [{ sku: 'P-3', quantity: 3 }] })];
    scene.platform.shop.pay((orders[1] as { id: string }).id);
    scene.platform.shop.cancel((orders[2] as { id: string }).id);
    await scene.pushed();
    await scene.sync();
    const before = await scene.orderCount();
    const events = await scene.world.one<{ n: string }>('select count(*) n from order_events');
    const moved = await scene.world.one<{ n: string }>('select count(*) n from stock_movements');
    scene.world.now = new Date(scene.world.now.getTime() + 3 * 86_400_000);
    Object.assign(scene.platform.faults, { copies: 1 });
    await scene.platform.pusher.again();
    await scene.sync();
    expect({ before, after: await scene.orderCount(), events: await scene.world.one('select count(*) n from order_events'), moved: await scene.world.one('select count(*) n from stock_movements') })
      .toEqual({ before: capabilities.restores === 'cancelled' ? before : before, after: before, events, moved });
    expect(await scene.channelOrder((orders[0] as { id: string }).id)).toMatchObject({ state: 'open' });
    expect(await scene.world.status((await scene.channelOrder((orders[1] as { id: string }).id))?.order ?? '')).not.toBe('awaiting_payment');
  });

  it('finds by its poll what was never pushed', async () => {
    await selling();
    Object.assign(scene.platform.faults, { dropPushes: true });
    const order = place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync(kind.backstop.everyS + kind.backstop.lagS + 1);
    expect(await scene.channelOrder(order.id)).toMatchObject({ state: 'open' });
  });

  it.runIf(pushed)('believes no forged, truncated or stale push, in its own words, and keeps only the count', async () => {
    await selling();
    place({ lines: [{ sku: 'P-1', quantity: 1 }] });
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

  it('holds an order for a listing that is not mapped, and releases all of them with the mapping', async () => {
    await selling({ mapByMerchantCode: false });
    scene.platform.shop.putItem({ sku: 'P-9', itemId: '9009', merchantCode: 'SKU-4', price: 700, stock: 5 });
    const orders = [place({ lines: [{ sku: 'P-9', quantity: 1 }] }), place({ lines: [{ sku: 'P-9', quantity: 2 }] })];
    await scene.pushed();
    await scene.sync();
    expect(await Promise.all(orders.map((o) => scene.channelOrder(o.id)))).toEqual([1, 2].map(() => ({ state: 'held', reason: 'unmapped_sku', order: null })));
    const unmapped = await scene.api<{ items: { platformSku: string; suggested: string | null }[] }>('GET', `/v1/channels/${scene.code}/listings?unmapped=true`);
    expect(unmapped.items.map((l) => [l.platformSku, l.suggested])).toEqual([['P-9', 'SKU-4']]);
    const mapped = await scene.api<{ version: number; released: number }>('PUT', `/v1/channels/${scene.code}/listings/P-9`, { components: [{ sku: 'SKU-3', quantity: 1 }, { sku: 'SKU-4', quantity: 2 }], version: 0 });
    expect(mapped).toEqual({ version: 1, released: 2 });
    await scene.sync();
    const second = await scene.channelOrder((orders[1] as { id: string }).id);
    expect(second?.state).toBe('open');
    const detail = await scene.api<{ money: { total: number }; lines: { sku: string; quantity: number }[] }>('GET', `/v1/orders/${second?.order ?? ''}`);
    expect([detail.money.total, detail.lines.map((l) => [l.sku, l.quantity])]).toEqual([1400, [['SKU-3', 2], ['SKU-4', 4]]]);
  });

  it('holds an order in a currency that is not the shop\'s', async () => {
    await selling();
    const order = place({ lines: [{ sku: 'P-1', quantity: 1 }], currency: 'USD' });
    await scene.pushed();
    await scene.sync();
    // A platform that knows one currency only never shows another.
    const state = await scene.channelOrder(order.id);
    expect(kind.currencies === 'one' ? state?.state : [state?.state, state?.reason]).toEqual(kind.currencies === 'one' ? 'open' : ['held', 'currency']);
  });

  it.runIf(capabilities.stock !== 'none' && capabilities.countsOwnSales)('never gives back what the platform has sold and not told', async () => {
    await selling();
    Object.assign(scene.platform.faults, { holdPushes: true });
    // Sold there, not known here; meanwhile a unit is lost here.
    const sold = place({ lines: [{ sku: 'P-1', quantity: 4 }] });
    await scene.world.store.pool.query(`update channel_shops set polled_at = $1`, [scene.world.now]);
    await scene.world.capture({ lines: [{ sku: 'SKU-1', quantity: 1, unitPrice: 1000 }] });
    await scene.sync();
    expect(stockOf('P-1')).toBe(25);
    Object.assign(scene.platform.faults, { holdPushes: false });
    await scene.pushed();
    await scene.sync();
    expect([stockOf('P-1'), (await scene.channelOrder(sold.id))?.state]).toEqual([25, 'open']);
  });

  it.runIf(capabilities.stock !== 'none' && capabilities.countsOwnSales)('carries a change of stock out once though its answer is lost', async () => {
    await selling({ timeoutMs: 300 });
    await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 5, unitPrice: 1000 }] });
    Object.assign(scene.platform.faults, { nextTimeouts: 1 });
    expect((await scene.sync()).fault).not.toBeNull();
    scene.restart();
    await scene.sync(10);
    expect([stockOf('P-2'), (await scene.world.one<{ p: unknown }>(`select pending p from listings where platform_sku = 'P-2'`)).p]).toEqual([25, null]);
  });

  it.runIf(capabilities.stock !== 'none')('stops and zeroes a shop or a listing by one switch', async () => {
    await selling();
    await scene.api('PUT', `/v1/channels/${scene.code}/listings/P-1/publishing`, { mode: 'zero' });
    await scene.sync();
    expect([stockOf('P-1'), stockOf('P-2')]).toEqual([0, 30]);
    await scene.api('PUT', `/v1/channels/${scene.code}/publishing`, { mode: 'stopped' });
    await scene.world.capture({ lines: [{ sku: 'SKU-2', quantity: 3, unitPrice: 1000 }] });
    await scene.sync();
    expect(stockOf('P-2')).toBe(30);
    await scene.api('PUT', `/v1/channels/${scene.code}/publishing`, { mode: 'on', sharePercent: 50, buffer: 2, cap: 10 });
    await scene.sync();
    expect([stockOf('P-1'), stockOf('P-2'), stockOf('P-3')]).toEqual([0, 10, 10]);
  });

  it('cancels with the platform, and takes the payment with it', async () => {
    await selling();
    const order = place({ lines: [{ sku: 'P-1', quantity: 3 }], paid: false });
    await scene.pushed();
    await scene.sync();
    const unpaid = await scene.channelOrder(order.id);
    expect(unpaid === null ? null : await scene.world.status(unpaid.order ?? '')).toBe(capabilities.showsUnpaid === false ? null : 'awaiting_payment');
    scene.platform.shop.pay(order.id);
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    expect(await scene.world.status(ours)).toBe('captured');
    scene.platform.shop.cancel(order.id);
    await scene.pushed();
    await scene.sync();
    expect(await scene.world.status(ours)).toBe('cancelled');
    await scene.sync();
    expect(stockOf('P-1')).toBe(30);
  });

  it.runIf(capabilities.addressChange !== 'none')('sends it to the address that the platform has now', async () => {
    await selling();
    const order = place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    await scene.sync();
    scene.platform.shop.changeAddress(order.id, { city: 'Ningbo', street: '2 Other Road' }, capabilities.addressChange === 'asked');
    await scene.pushed();
    // Where no push tells it, the poll does.
    await scene.sync(kind.backstop.everyS + kind.backstop.lagS + 1);
    await scene.sync();
    await scene.pushed(); // what we agreed to comes back as the order's state
    await scene.sync();
    const detail = await scene.api<{ destination: { city: string } }>('GET', `/v1/orders/${(await scene.channelOrder(order.id))?.order ?? ''}`);
    expect(detail.destination.city).toContain('Ningbo');
    if (capabilities.addressChange === 'asked') expect(scene.platform.shop.order(order.id).addressAnswer).toBe(true);
  });

  it.runIf(capabilities.shipment !== 'none')('tells every parcel once, with the units that are in it, though answers are lost', async () => {
    await selling({ timeoutMs: 300 });
    const order = place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
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

  it.runIf(capabilities.afterSale !== 'none')('takes an after-sale before the goods leave as a refund, and tells what was decided', async () => {
    await selling();
    const order = place({ lines: [{ sku: 'P-1', quantity: 2 }] });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    const afterSale = scene.platform.shop.openAfterSale(order.id, { kind: 'refund' });
    if (capabilities.afterSale === 'told') scene.platform.shop.moveAfterSale(afterSale.id, 'done', 'platform');
    await scene.pushed();
    await scene.sync();
    expect([await scene.world.status(ours), (await scene.world.refunds(ours)).map(([, amount]) => amount)]).toEqual(['cancelled', [2000]]);
    if (capabilities.afterSale !== 'decide') return;
    const decide = () => scene.api('POST', `/v1/channels/${scene.code}/after-sales/${afterSale.id}/decision`, { externalId: order.id, approved: true, reason: 'not sent yet' });
    await Promise.all([decide(), decide()]);
    await scene.sync();
    expect(scene.platform.shop.afterSale(afterSale.id).afterSale).toMatchObject({ status: 'agreed', decidedBy: 'shop' });
    await expect(scene.api('POST', `/v1/channels/${scene.code}/after-sales/${afterSale.id}/decision`, { externalId: order.id, approved: false, reason: 'no' })).rejects.toThrow('409');
  });

  it.runIf(capabilities.afterSale !== 'none')('waits while a part of the order is in dispute, and goes on without it', async () => {
    await selling();
    const order = place({ lines: [{ sku: 'P-1', quantity: 2 }, { sku: 'P-2', quantity: 1 }] });
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

  it.runIf(capabilities.platformFulfils)('moves the stock of an order that the platform ships itself, and never ships it', async () => {
    await selling({ platformLocation: 'L3' });
    const location = [...scene.world.store.network.locations.values()].at(-1);
    if (!location) throw new Error('the world has no location');
    await scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url, platformLocation: location.code } });
    await scene.world.database.pool.query('update locations set partner_url = null where id = $1', [location.id]);
    await scene.world.store.network.reload();
    scene.restart();
    const order = place({ lines: [{ sku: 'P-1', quantity: 2 }], fulfilledBy: 'platform' });
    await scene.pushed();
    await scene.sync();
    const ours = (await scene.channelOrder(order.id))?.order ?? '';
    await advance(scene.world, ours);
    const before = scene.world.partners.requests.length;
    scene.platform.shop.ship(order.id, { key: 'own', carrier: 'sim', number: 'PW-1', lines: null });
    await scene.pushed();
    await scene.sync();
    await scene.sync(10);
    const level = await scene.world.one<{ on_hand: number; reserved: number }>(`select on_hand, reserved from stock_levels v join skus s on s.id = v.sku_id where s.code = 'SKU-1' and v.location_id = $1 and allotment_id = 0`, location.id);
    expect({ level, status: (await scene.world.fulfillments(ours)).map((f) => [f.location, f.status]), calls: scene.world.partners.requests.length - before, reports: await scene.world.one('select count(*)::int n from channel_reports') })
      .toEqual({ level: { on_hand: 8, reserved: 0 }, status: [[location.code, 'issued']], calls: 0, reports: { n: 0 } });
  });

  it('tells the platform of an order that we have cancelled, or says why it cannot; not of one that was cancelled there', async () => {
    await selling();
    const [ours, theirs] = [place({ lines: [{ sku: 'P-1', quantity: 2 }] }), place({ lines: [{ sku: 'P-2', quantity: 1 }] })];
    await scene.pushed();
    await scene.sync();
    await scene.api('POST', `/v1/orders/${(await scene.channelOrder(ours.id))?.order ?? ''}/cancel`, { reason: 'no longer made' });
    scene.platform.shop.cancel(theirs.id);
    await scene.pushed();
    await scene.sync();
    await scene.pushed();
    await scene.sync(3700);
    const reports = await scene.world.store.pool.query<{ id: string; refused: boolean }>(`select body ->> 'externalId' id, refused from channel_reports where kind = 'cancellation' and done_at is not null`);
    expect({ there: [ours, theirs].map((o) => scene.platform.shop.order(o.id).status), reports: reports.rows, stock: [stockOf('P-1'), stockOf('P-2')] })
      .toEqual({ there: [capabilities.cancel ? 'cancelled' : 'to_ship', 'cancelled'], reports: [{ id: ours.id, refused: !capabilities.cancel }], stock: [30, 30] });
  });

  it('waits as long as the platform wants when it is asked too fast', async () => {
    await selling();
    Object.assign(scene.platform.faults, { nextThrottled: 2 });
    const order = place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    await scene.pushed();
    for (let i = 0; i < 3; i++) await scene.sync(60);
    expect((await scene.channelOrder(order.id))?.state).toBe('open');
  });

  it('works a backlog off after an hour of the platform being down, within its limits and each order in its order', async () => {
    await selling();
    const families = Object.keys(kind.limits);
    await scene.api('PUT', `/v1/channels/${scene.code}/shop`, { settings: { ...scene.account, baseUrl: scene.platform.url }, limits: Object.fromEntries(families.map((f) => [f, { perSecond: 50, burst: 5 }])) });
    scene.platform.faults.down = true;
    const orders = Array.from({ length: 9 }, (_, n) => place({ lines: [{ sku: `P-${(n % 3) + 1}`, quantity: 1 }], paid: false }));
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
    expect([1, 2, 3].map((n) => stockOf(`P-${n}`))).toEqual([1, 2, 3].map(() => 28));
  });

  it('holds an order at a price below its floor, and takes it when somebody lowers the floor', async () => {
    await selling();
    const floor = (priceFloor: number | null) => scene.api<{ released: number }>('PUT', `/v1/channels/${scene.code}/listings/P-1`, { components: [{ sku: 'SKU-1', quantity: 1 }], priceFloor });
    await floor(900);
    const [low, right] = [place({ lines: [{ sku: 'P-1', quantity: 2, unitPrice: 10 }] }), place({ lines: [{ sku: 'P-1', quantity: 1, unitPrice: 900 }] })];
    await scene.pushed();
    await scene.sync();
    expect([await scene.channelOrder(low.id), (await scene.channelOrder(right.id))?.state]).toEqual([{ state: 'held', reason: 'price_below_floor', order: null }, 'open']);
    expect(await floor(10)).toMatchObject({ released: 1 });
    await scene.sync();
    expect(await scene.channelOrder(low.id)).toMatchObject({ state: 'open', reason: null });
  });

  it('takes an order that changes while it is read as it is in the end, once', async () => {
    await selling();
    const order = place({ lines: [{ sku: 'P-1', quantity: 1 }, { sku: 'P-2', quantity: 2 }] });
    let changes = 0;
    scene.platform.faults.meanwhile = () => {
      if (changes++ === 0) scene.platform.shop.openAfterSale(order.id, { kind: 'refund', lines: [{ lineId: order.lines[0]?.lineId ?? '', quantity: 1 }], reason: 'while it was read' });
      else if (changes === 3) scene.platform.shop.changeAddress(order.id, { street: '3 Meanwhile Road' }, false);
    };
    await scene.pushed();
    await scene.sync();
    scene.platform.faults.meanwhile = null;
    await scene.pushed();
    await scene.sync(kind.backstop.everyS + kind.backstop.lagS + 1);
    await scene.sync(60);
    const { rows } = await scene.world.store.pool.query<{ version: string; state: string }>(`select applied ->> 'version' version, state from channel_orders`);
    expect([await scene.orderCount(), rows.length, rows[0]?.state, changes > 0]).toEqual([1, 1, 'open', true]);
    // Platforms tell seconds or milliseconds; either way it is the last state that was applied.
    expect(Math.floor(Number(rows[0]?.version) / 1000)).toBe(Math.floor(scene.platform.shop.order(order.id).updatedAt / 1000));
  });

  it.runIf(pushed && capabilities.push !== 'stream')('is deaf to pushes for a shop that is not there', async () => {
    await selling();
    const right = scene.platform.pusher.hookUrl;
    scene.platform.pusher.hookUrl = right.replace(/[^/]+$/, 'somebody-elses-address');
    place({ lines: [{ sku: 'P-1', quantity: 1 }] });
    Object.assign(scene.platform.faults, { copies: 1 });
    scene.platform.pusher.flush();
    await expect.poll(() => scene.platform.pusher.records.length).toBeGreaterThan(0);
    expect([scene.platform.pusher.records.some((r) => r.acknowledged), scene.platform.pusher.records[0]?.status, await scene.world.one('select (select count(*)::int from channel_hints where source = \'push\') hints, (select count(*)::int from push_rejections) rejected')])
      .toEqual([false, 404, { hints: 0, rejected: 0 }]);
  });
});
