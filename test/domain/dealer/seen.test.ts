import { expect, test } from 'vitest';
import type { KeptOrder } from '../../../domain/dealer/desk.ts';
import type { DealerOrder } from '../../../domain/dealer/order.ts';
import { profileOf } from '../../../domain/dealer/profile.ts';
import { seenOf } from '../../../domain/dealer/seen.ts';

const [EARLY, SHIP, THERE] = [1_000, 5_000, 9_000];
const seen = (dates: Partial<DealerOrder>) => {
  const order: DealerOrder = { orderNo: '1', purpose: 'original', orderedAt: 1, shipBy: null, currency: 'CNY', shipTo: null, shipToCode: null, buyerName: null, remark: null, lines: [], ...dates };
  const { shipBy, scheduled } = seenOf('1', { order, sent: { lines: [] }, cancelled: false, receivedAt: 2 } as unknown as KeptOrder, profileOf('CNY', {}, {}), new Set());
  return { shipBy, scheduled };
};

test.each([
  [{}, { shipBy: null, scheduled: undefined }], [{ deliverBy: THERE }, { shipBy: THERE, scheduled: undefined }], [{ deliverBy: THERE, shipBy: SHIP }, { shipBy: SHIP, scheduled: undefined }],
  [{ notBefore: EARLY }, { shipBy: null, scheduled: { from: EARLY, to: null } }], [{ notBefore: EARLY, deliverBy: THERE }, { shipBy: THERE, scheduled: { from: EARLY, to: THERE } }],
])('an order that is wanted %j', (dates, wanted) => { expect(seen(dates)).toEqual(wanted); });
