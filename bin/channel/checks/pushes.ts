import type { Capabilities } from '../../../channels/channel.ts';
import { Rig } from '../rig.ts';
import { same, want, type Check } from '../contract.ts';

const LINE = [{ sku: 'P-1', quantity: 1 }];
const isPushed = (c: Capabilities): boolean => c.push === 'signed' || c.push === 'encrypted' || c.push === 'stream';

/** Pushes: verified over their raw bytes, answered in the platform's form, each fact under one key. */
export const pushes: readonly Check[] = [
  {
    title: 'a push is believed by its signature, names its order to the last digit, and is answered as the platform wants', applies: isPushed,
    async run(rig) {
      const order = rig.place({ lines: LINE });
      const hints = Rig.hints(await rig.pushed());
      const refused = rig.arrived.find((a) => a.received?.kind === 'rejected');
      want(refused === undefined, `a good push was rejected (${refused?.received?.kind === 'rejected' ? refused.received.reason : ''}): is the signature made over the raw bytes?`);
      want(hints.some((h) => h.subject === 'order' && h.externalId === order.id), `no hint names order ${order.id}; hints name ${[...new Set(hints.map((h) => h.externalId))].join(', ') || 'nothing'} (ids beyond 2^53 are text: parseSafe)`);
      const bad = rig.platform.pusher.records.find((r) => !r.acknowledged);
      want(bad === undefined, `the platform took the answer for a failure and would push again: ${bad?.status ?? 0} ${bad?.body.slice(0, 100) ?? ''}`);
    },
  },
  ...(['forged', 'truncated', 'stale'] as const).map((how): Check => ({
    title: `a ${how} push is rejected, in the platform's own words`, applies: (c) => isPushed(c) && (how !== 'stale' || c.signedTime),
    async run(rig) {
      rig.place({ lines: LINE });
      await rig.pushed();
      const before = rig.arrived.length;
      const answer = await rig.platform.pusher.bad(how);
      const { received, error } = rig.arrived[before] ?? { received: null, error: null };
      if (error) throw error;
      want(received?.kind === 'rejected', `it was taken for ${received?.kind ?? 'nothing'}`);
      want(!answer.acknowledged, `the answer ${answer.status} ${answer.body.slice(0, 100)} says that all is well`);
    },
  })),
  {
    title: 'the same fact has the same key however often it is pushed, another state another key', applies: (c) => c.push !== 'none',
    async run(rig) {
      const order = rig.place({ lines: LINE });
      const first = new Set((await rig.news()).map((h) => h.key));
      rig.advance(86_400 * 3);
      const before = rig.arrived.length;
      await rig.platform.pusher.again();
      const again = new Set([...Rig.hints(rig.arrived.slice(before)), ...rig.capabilities.push === 'queue' ? await rig.taken() : []].map((h) => h.key));
      same('keys of the same events pushed again, signed anew', [...again].sort(), [...first].sort());
      rig.advance(5);
      rig.platform.shop.cancel(order.id);
      const cancelled = await rig.news();
      want(cancelled.some((h) => !first.has(h.key)), 'the cancellation came under a key that was known: it would be passed over');
    },
  },
  {
    title: 'what waits in its queue names its order to the last digit, comes again until it is confirmed, and then no more', applies: (c) => c.push === 'queue',
    async run(rig) {
      const order = rig.place({ lines: LINE });
      await rig.pushed();
      const first = await rig.taken(false);
      want(first.some((h) => h.subject === 'order' && h.externalId === order.id), `no hint names order ${order.id}; hints name ${[...new Set(first.map((h) => h.externalId))].join(', ') || 'nothing'} (ids beyond 2^53 are text: parseSafe)`);
      rig.advance(3600);
      same('hints of messages that were not confirmed, taken again', (await rig.taken()).map((h) => h.key).sort(), first.map((h) => h.key).sort());
      rig.advance(3600);
      same('hints of messages that were confirmed', await rig.taken(), []);
    },
  },
  {
    title: 'what the platform sends to see whether somebody listens is answered', applies: (c, rig) => isPushed(c) && !rig.live,
    async run(rig) {
      const probe = await rig.platform.pusher.probe();
      const failed = rig.arrived.find((a) => a.error !== null);
      if (failed?.error) throw failed.error;
      want(probe === null || probe.good, `the platform was not content with ${probe?.status ?? 0} ${probe?.body.slice(0, 100) ?? ''}`);
      want(rig.arrived.every((a) => a.received?.kind !== 'hints' || a.received.hints.length === 0), 'a probe is no hint of anything');
    },
  },
  {
    title: 'what is no push at all is rejected without a fall', live: true,
    run({ connector, ...rig }) {
      for (const body of ['', '{', '[]', '"text"', '\u0000']) {
        const frame = connector.stream?.read(body, Date.now());
        if (frame) want(frame.kind === 'rejected', `${JSON.stringify(body)}, which is no message, was taken for ${frame.kind}`);
        if (!connector.receive) continue;
        for (const method of ['POST', 'GET']) {
          const received = connector.receive({ method, query: new URLSearchParams(), headers: {}, body: Buffer.from(body), now: Date.now() });
          want(received.kind === 'rejected' || (received.kind === 'probe' && isPushed(rig.capabilities)), `${method} ${JSON.stringify(body)} without a signature was taken for ${received.kind}`);
        }
      }
      return Promise.resolve();
    },
  },
  {
    title: 'a message is acknowledged once it is kept, and not before', applies: (c, rig) => c.push === 'stream' && !rig.live,
    async run(rig) {
      rig.failKeeping = 1;
      const order = rig.place({ lines: LINE });
      const hints = Rig.hints(await rig.pushed());
      same('whether the platform had its answer, try after try', rig.platform.pusher.records.map((r) => r.acknowledged), [false, true]);
      same('hints', hints.map((h) => h.externalId), [order.id]);
    },
  },
  {
    title: 'a connection that breaks is opened anew, and what comes again is known', applies: (c, rig) => c.push === 'stream' && !rig.live,
    async run(rig) {
      const { stream } = rig.platform.pusher;
      rig.platform.faults.nextCuts = 2;
      rig.place({ lines: LINE });
      const hints = Rig.hints(await rig.pushed());
      same('times that the fact came, and keys that it came under', [hints.length, new Set(hints.map((h) => h.key)).size], [3, 1]);
      same('connections that were opened, and the most at once', [stream?.opened, stream?.most], [3, 1]);
    },
  },
];
