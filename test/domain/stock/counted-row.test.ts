import { expect, test } from 'vitest';
import { toRow } from '../../../domain/stock/counted-row.ts';

test('a whole row', () => {
  expect(toRow(3, { sku: 'A-1', condition: 'damaged', quantity: 0, unit: 'box', lot: 'L1' })).toEqual({ line: 3, sku: 'A-1', condition: 'damaged', quantity: 0, unit: 'box', lot: 'L1' });
  expect(toRow(1, { sku: 'A', quantity: 5 })).toEqual({ line: 1, sku: 'A', condition: 'sellable', quantity: 5, unit: null, lot: null });
});

test.each<[Parameters<typeof toRow>[1], string]>([
  [{ sku: 'A', quantity: -1 }, 'quantity must be a whole number from 0 to 1000000000'],
  [{ sku: 'A', quantity: 1.5 }, 'quantity must be a whole number from 0 to 1000000000'],
  [{ sku: 'A', quantity: '1' }, 'quantity must be a whole number from 0 to 1000000000'],
  [{ sku: 'A' }, 'quantity must be a whole number from 0 to 1000000000'],
  [{ sku: '', quantity: 1 }, 'sku must be a code of letters, digits and . _ : -'],
  [{ quantity: 1 }, 'sku must be a code of letters, digits and . _ : -'],
  [{ sku: 'A', quantity: 1, condition: 'new' }, 'condition must be one of sellable, damaged, quarantine, display'],
  [{ sku: 'A', quantity: 1, lot: 'x\u0000' }, 'lot must be a text of 1 to 64 characters'],
  [{ sku: 'A', quantity: 1, unit: '\ud800' }, 'unit must be a text of 1 to 64 characters'],
])('%j', (fields, reason) => { expect(toRow(7, fields)).toEqual({ line: 7, reason }); });
