import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TimerHeap } from '../../../simulators/shared/timer-heap.ts';

describe('TimerHeap', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('runs what is due, in order of time and then of arrival', () => {
    const heap = new TimerHeap();
    const ran: string[] = [];
    for (const [delay, name] of [[300, 'c'], [100, 'a'], [300, 'd'], [200, 'b'], [100, 'a2']] as const) {
      heap.schedule(delay, () => ran.push(name));
    }
    vi.advanceTimersByTime(99);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(120);
    expect(ran).toEqual(['a', 'a2', 'b']);
    vi.advanceTimersByTime(100);
    expect(ran).toEqual(['a', 'a2', 'b', 'c', 'd']);
    expect(heap.size).toBe(0);
  });

  it('holds one timer of Node for 20,000 entries and runs them all', () => {
    const heap = new TimerHeap();
    const ran: number[] = [];
    for (let index = 0; index < 20_000; index += 1) {
      const delay = 1000 + ((index * 7919) % 20_000);
      heap.schedule(delay, () => ran.push(delay));
    }
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(22_000);
    expect(ran.length).toBe(20_000);
    expect(ran).toEqual([...ran].sort((a, b) => a - b));
  });

  it('never runs an entry in the turn that adds it, and runs one added while running', () => {
    const heap = new TimerHeap();
    const ran: string[] = [];
    heap.schedule(0, () => {
      ran.push('first');
      heap.schedule(0, () => ran.push('second'));
    });
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(50);
    expect(ran).toEqual(['first', 'second']);
  });

  it('goes on after an action threw', () => {
    const heap = new TimerHeap();
    const ran: string[] = [];
    heap.schedule(10, () => {
      throw new Error('broken');
    });
    heap.schedule(20, () => ran.push('next'));
    expect(() => vi.advanceTimersByTime(15)).toThrow('broken');
    vi.advanceTimersByTime(20);
    expect(ran).toEqual(['next']);
  });

  it('waits longer than Node can', () => {
    const heap = new TimerHeap();
    let ran = false;
    heap.schedule(2 ** 31 + 1000, () => {
      ran = true;
    });
    vi.advanceTimersByTime(2 ** 31);
    expect(ran).toBe(false);
    vi.advanceTimersByTime(2000);
    expect(ran).toBe(true);
  });

  it('forgets everything when closed', () => {
    const heap = new TimerHeap();
    let ran = false;
    heap.schedule(10, () => {
      ran = true;
    });
    heap.close();
    heap.schedule(10, () => {
      ran = true;
    });
    vi.advanceTimersByTime(100);
    expect(ran).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});
