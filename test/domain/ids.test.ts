import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeId, encodeId } from '../../domain/ids.ts';

const UUID = '018f3c5e-7a1b-7def-8123-456789abcdef';

test('every UUID comes back, in lower case and with its dashes', () => {
  fc.assert(fc.property(fc.uuid(), (uuid) => { expect(decodeId('ord', encodeId('ord', uuid))).toBe(uuid); }));
});

test('an id has its prefix and 26 characters, and keeps the order of time', () => {
  expect(encodeId('ord', '00000000-0000-0000-0000-000000000000')).toBe(`ord_${'0'.repeat(26)}`);
  expect(encodeId('rma', 'ffffffff-ffff-ffff-ffff-ffffffffffff')).toBe(`rma_7${'z'.repeat(25)}`);
  fc.assert(fc.property(fc.uuid(), fc.uuid(), (a, b) => { expect(encodeId('ful', a) < encodeId('ful', b)).toBe(a < b); }));
});

test.each([
  ['another kind', encodeId('ful', UUID)],
  ['too short', encodeId('ord', UUID).slice(0, -1)],
  ['too long', `${encodeId('ord', UUID)}0`],
  ['a letter outside the alphabet', `${encodeId('ord', UUID).slice(0, -1)}u`],
  ['capitals', encodeId('ord', UUID).toUpperCase()],
  ['more than 128 bits', `ord_8${'0'.repeat(25)}`],
  ['a UUID', UUID],
  ['nothing', ''],
])('%s is no order id', (_, id) => { expect(decodeId('ord', id)).toBeNull(); });
