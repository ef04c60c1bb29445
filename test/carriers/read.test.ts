import { expect, test } from 'vitest';
import { parseJson } from '../../carriers/read.ts';

test('ids that are bare numbers keep their last digit; what is no JSON is nothing', () => {
  expect([parseJson('{"waybillId":9007199254740993,"weight":1.5,"seq":12}'), parseJson('<html>')]).toEqual([{ waybillId: '9007199254740993', weight: 1.5, seq: 12 }, null]);
});
