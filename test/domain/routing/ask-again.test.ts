import { expect, test } from 'vitest';
import { askAgainAt } from '../../../domain/routing/ask-again.ts';

const now = new Date('2026-11-23T02:00:00Z');
const paused = new Date('2026-11-23T06:00:00Z');
test.each([
  ['passes after an hour', { final: false, pausedUntil: null, before: 0 }, new Date('2026-11-23T03:00:00Z')],
  ['passes with its pause', { final: false, pausedUntil: paused, before: 1 }, paused],
  ['is final', { final: true, pausedUntil: paused, before: 0 }, null],
  ['came twice before', { final: false, pausedUntil: paused, before: 2 }, null],
])('what %s', (_, given, at) => { expect(askAgainAt(given, now)).toEqual(at); });
