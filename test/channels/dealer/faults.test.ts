import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerOrder } from '../../../db/dealers/answer-order.ts';
import { lockDealer, writeDocument } from '../../../db/dealers/documents.ts';
import { profileOf } from '../../../domain/dealer/profile.ts';
import { DealerScene, X12 } from './dealer-scene.ts';

const po = (no: number, ids: string[]): string => {
  const control = String(no).padStart(9, '0');
  const sets = ids.map((id, i) => `ST*850*${1000 + i}~BEG*00*SA*${id}**20261122~N1*ST*SHOP*92*S7~N3*1 ROAD~N4*SHANGHAI*SHANGHAI*200000*CN~PO1*1*1*EA*10*PE*VN*SKU-1~SE*7*${1000 + i}~`);
  return `ISA*00*          *00*          *ZZ*DEALER1        *ZZ*TRIBUTARY      *261123*0200*U*00401*${control}*0*P*>~GS*PO*DEALER1*TRIBUTARY*20261123*0200*${no}*X*004010~${sets.join('')}GE*${sets.length}*${no}~IEA*1*${control}~`;
};

describe('at the same time, twice, killed half-way', () => {
  let s: DealerScene;
  beforeEach(async () => { s = await DealerScene.open(); });
  afterEach(() => s.close());
  const gapless = async (): Promise<void> => {
    const numbers = await s.controls();
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  };

  it('the same file ten times at once: one file, one order each, one acknowledgment; the others get the same answer', async () => {
    const text = po(1, ['A', 'B', 'C']);
    const answers = await Promise.all(Array.from({ length: 10 }, () => s.post(text, X12)));
    expect(answers.map((a) => a.status).sort()).toEqual([...Array<number>(9).fill(200), 201]);
    expect(new Set(answers.map((a) => a.body.id)).size).toBe(1);
    await Promise.all([s.sync(), s.sync()]);
    expect([await s.count('orders'), (await s.written('997')).length, (await s.written('855')).length]).toEqual([3, 1, 3]);
    await gapless();
  });

  it('different files with the same orders at once: one order each, no number lost', async () => {
    const files = Array.from({ length: 6 }, (_, i) => po(i + 1, i % 2 === 0 ? ['A', 'B', 'C'] : ['C', 'B', 'A']));
    await Promise.all(files.map((f) => s.post(f, X12)));
    await s.sync();
    expect([await s.count('orders'), (await s.written('997')).length, (await s.written('855')).length]).toEqual([3, 6, 3]);
    await gapless();
  });

  it('killed after the commit and before the answer: the same file again gives the answer that was lost', async () => {
    const first = await s.post(po(1, ['A']), X12); // nobody reads it
    const again = await s.post(po(1, ['A']), X12);
    expect({ ...again.body, repeated: 0, repeatedNow: undefined }).toEqual({ ...first.body, repeatedNow: undefined });
  });

  it('a worker killed after what it wrote and before it said so: the next one writes nothing twice', async () => {
    await s.post(po(1, ['A']), X12);
    await s.sync();
    await s.ship('A');
    await s.sync();
    const before = await s.documents();
    await s.world.store.pool.query('update channel_hints set done_at = null');
    await s.world.store.pool.query('update channel_reports set done_at = null');
    await s.sync();
    expect(await s.documents()).toEqual(before);
    expect([before.map((d) => d.kind), await s.count('orders')]).toEqual([['997', '855', '856'], 1]);
    expect(await s.world.ledger()).toEqual({ drift: 0, reservedDrift: 0 });
  });

  it('a worker killed between the capture and its answer: the answer comes with the next look', async () => {
    await s.post(po(1, ['A']), X12);
    await s.sync();
    await s.world.store.pool.query(`delete from dealer_documents where kind = '855'`);
    await s.world.store.pool.query(`update dealer_counters set value = value - 1`);
    await s.world.store.pool.query('update dealer_orders set answer = null, answered_at = null');
    await s.world.store.pool.query('update channel_hints set done_at = null');
    await s.sync();
    expect((await s.written('855')).length).toBe(1);
    await gapless();
  });

  it('a transaction that fails gives its control numbers back', async () => {
    const { writer, network } = s.world.store;
    const channel = network.channels.get(s.code)!;
    await s.post(po(1, ['A']), X12);
    const draft = { kind: '855' as const, key: 'x', stem: 'x', fileId: null, externalId: null, test: false, encoding: 'utf8' as const };
    await expect(writer.change(async (tx) => {
      await lockDealer(tx, channel.id);
      await writeDocument(tx, channel.id, draft, () => { throw new Error('killed'); });
    })).rejects.toThrow('killed');
    await s.sync();
    await gapless();
    expect(await s.count('dealer_documents')).toBe(2);
  });

  it('an order is answered once, by however many at once', async () => {
    const { writer, network } = s.world.store;
    const channel = network.channels.get(s.code)!;
    await s.post(po(1, ['A']), X12);
    await s.sync();
    await s.world.store.pool.query('update dealer_orders set answered_at = null');
    await Promise.all(Array.from({ length: 5 }, () => answerOrder(writer, channel, profileOf('CNY', {}, {}), 'A')));
    expect((await s.written('855')).length).toBe(1);
    await gapless();
  });
});
