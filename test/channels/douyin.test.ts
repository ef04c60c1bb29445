import { expect, test } from 'vitest';
import { mapOrder } from '../../channels/douyin/map.ts';

const order = (claimed: boolean) => ({
  order_id: '1', order_status: 2, create_time: 1_700_000_000, update_time: 1_700_000_100, pay_time: 1_700_000_010, pay_type: 2,
  sku_order_list: ['11', '12'].map((id) => ({ order_id: id, sku_id: id, product_id: '9', item_num: 3, origin_amount: 1000, order_status: 2, after_sale_info: claimed ? { after_sale_status: 12, refund_status: 3 } : {} })),
});
const claim = (type: number, sku: string, units: number) => ({ aftersale_info: { aftersale_id: `${type}${sku}`, aftersale_type: type, aftersale_status: 12, refund_amount: 100 }, order_info: { related_order_info: [{ sku_order_id: sku, aftersale_item_num: units }] } });
const cancelled = (claims: unknown[]): number[] => mapOrder(order(true), claims, [], []).lines.map((l) => l.cancelled);

test('price protection takes no unit off and is no after-sale of ours', () => {
  const seen = mapOrder(order(true), [claim(6, '11', 3)], [], []);
  expect([seen.afterSales, seen.lines.map((l) => l.cancelled)]).toEqual([[], [0, 0]]);
});

test('of a sub-order that was refunded its after-sales tell how many units; where none were listed it is all of it', () => {
  expect([cancelled([claim(2, '11', 1)]), cancelled([claim(2, '11', 1), claim(2, '12', 3), claim(6, '11', 3)]), cancelled([])]).toEqual([[1, 0], [1, 3], [3, 3]]);
});
