import { expect, test } from 'vitest';
import { nextTransferStep, type TransferFacts } from '../../../domain/transfer/flow.ts';

const NOW = '2026-11-23T02:00:00.000Z';
const BEFORE = '2026-11-23T01:59:59.000Z';
const LATER = '2026-11-24T02:00:00.000Z';
const facts = (changes: Partial<TransferFacts>): TransferFacts => ({ status: 'proposed', decideBy: LATER, shipBy: null, giveUpAt: null, expectedAt: null, late: false, overdue: false, ...changes });

test.each<[Partial<TransferFacts>, object]>([
  [{}, { do: 'wait', until: LATER }],
  [{ decideBy: NOW }, { do: 'lapse' }],
  [{ status: 'approved', shipBy: LATER, giveUpAt: LATER }, { do: 'wait', until: LATER }],
  [{ status: 'approved', shipBy: NOW, giveUpAt: LATER }, { do: 'warn_late' }],
  [{ status: 'picking', shipBy: BEFORE, giveUpAt: LATER, late: true }, { do: 'wait', until: LATER }],
  [{ status: 'picking', shipBy: BEFORE, giveUpAt: NOW }, { do: 'give_up' }],
  [{ status: 'shipped', expectedAt: LATER, shipBy: BEFORE, giveUpAt: BEFORE }, { do: 'wait', until: LATER }],
  [{ status: 'shipped', expectedAt: NOW }, { do: 'warn_overdue' }],
  [{ status: 'shipped', expectedAt: BEFORE, overdue: true }, { do: 'wait', until: LATER }],
  [{ status: 'received' }, { do: 'close' }],
  [{ status: 'closed' }, { do: 'finish' }],
  [{ status: 'cancelled' }, { do: 'finish' }],
])('%j leads to %j', (changes, step) => { expect(nextTransferStep(facts(changes), NOW)).toEqual(step); });
