import { expect, test } from 'vitest';
import { lowerInstead } from '../../../domain/channel/lowering.ts';

test.each([
  ['nothing is shown of it', 10, undefined, 'refused'],
  ['as much is there', 10, { sellable: 10 }, 'refused'],
  ['less is there', 10, { sellable: 8 }, { delta: -8, target: 0, all: true }],
  ['less of it is loose', 15, { sellable: 25, loose: 5 }, { delta: -5, target: 20, all: false }],
  ['all of it is locked', 15, { sellable: 20, loose: 0 }, 'refused'],
  ['none is there', 10, { sellable: 0 }, 'nothing'],
] as const)('a decrease that was refused, %s', (_, units, seen, instead) => { expect(lowerInstead(units, seen)).toEqual(instead); });
