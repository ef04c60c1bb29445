import { afterEach, expect, test } from 'vitest';
import type { Call } from '../../carriers/carrier.ts';
import { track17 } from '../../carriers/track17/index.ts';
import { CarrierScene } from './support/carrier-scene.ts';

let scene: CarrierScene | null = null;
afterEach(async () => {
  await scene?.close();
  scene = null;
});

test.each([['kuaidi100', {}], ['17track', {}], ['17track', { carriers: { yto: '0' } }]])('%s %j gives a parcel up (abort, TRACKING_STOPPED): half an hour later it is announced anew, and heard of again', async (kind, changes) => {
  const s = scene = await CarrierScene.open(kind, changes);
  const sent = await s.send();
  const follow = async () => (await s.world.one<{ state: string }>('select state from parcel_follows')).state;
  const announce = async (hours: number): Promise<unknown[]> => {
    s.later(hours);
    await s.tend.announce();
    return [await follow(), sent.there.extra['stoppedAt'] === undefined];
  };
  s.courier.courier.giveUp(sent.no);
  await s.pushed();
  expect([s.courier.pusher.records.at(-1)?.acknowledged, await announce(0.48)]).toEqual([true, ['due', false]]);
  await s.move(sent, 'picked_up');
  expect(await s.milestone(sent)).toBe('issued');
  expect(await announce(0)).toEqual(['done', true]);
  await s.move(sent, 'in_transit');
  expect((await s.world.events(sent.order)).filter((e) => e.startsWith('parcel.'))).toEqual(['parcel.picked_up', 'parcel.in_transit']);
  // Told twice it is asked for once; and one that has arrived needs nobody any more.
  s.courier.courier.giveUp(sent.no);
  await s.pushed();
  await s.courier.pusher.again();
  expect(await announce(0.6)).toEqual(['done', true]);
  await s.move(sent, 'delivered');
  s.courier.courier.giveUp(sent.no);
  await s.pushed();
  expect([await announce(1), await s.milestone(sent)]).toEqual([['done', false], 'delivered']);
});

test('快递100: its account put anew within the half hour does not announce a parcel too early, which would count as announced before', async () => {
  const s = scene = await CarrierScene.open('kuaidi100');
  const sent = await s.send();
  const announce = async (hours: number): Promise<unknown[]> => {
    s.later(hours);
    await s.tend.announce();
    return [(await s.world.one<{ state: string }>('select state from parcel_follows')).state, sent.there.extra['stoppedAt'] === undefined];
  };
  s.courier.courier.giveUp(sent.no);
  await s.pushed();
  s.later(0.1);
  await s.api('PUT', `/v1/carrier-accounts/${s.account}`, { kind: 'kuaidi100', settings: { ...s.settings, baseUrl: s.courier.url, callbackUrl: 'http://callback.invalid' } });
  expect([await announce(0), await announce(0.3), await announce(0.15)]).toEqual([['due', false], ['due', false], ['done', true]]);
});

test('17TRACK: all its methods share one limit of three calls a second; what it will not take up again is refused with its word', async () => {
  const calls: Call[] = [];
  const codes: Record<string, number> = { register: -18019901, retrack: -18019904, gettrackinfo: -18019909 };
  const connector = track17.connect({ code: 't', settings: { baseUrl: 'http://t', carriers: { yto: '1' } }, secrets: { apiKey: 'k' } }, {
    now: () => 0, uuid: () => '', signed: () => Promise.reject(new Error('none')), token: () => Promise.reject(new Error('none')), throttled: () => { throw new Error('none'); },
    call: (call) => {
      calls.push(call);
      const method = call.url.split('/').at(-1) ?? '';
      return Promise.resolve({ status: 200, headers: {}, text: JSON.stringify({ code: 0, data: { accepted: [], rejected: [{ number: 'N', error: { code: codes[method], message: method } }] } }) });
    },
  });
  const parcel = { carrier: 'yto', waybillNo: 'N', phoneTail: null };
  await connector.subscribe?.(parcel);
  expect(await connector.events?.(parcel)).toEqual([]);
  expect([calls.map((c) => c.url.split('/').at(-1)), new Set(calls.map((c) => c.family)).size, track17.limits]).toEqual([['register', 'retrack', 'gettrackinfo'], 1, { '*': { perSecond: 3, burst: 1 } }]);
  codes['retrack'] = -18019905;
  await expect(connector.subscribe?.(parcel)).rejects.toThrow('17TRACK -18019905: retrack');
});
