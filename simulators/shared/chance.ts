/**
 * A 53-bit hash of the parts, evenly spread (two 32-bit multiply-and-mix lanes, finished as in MurmurHash3).
 * Not cryptographic: it only has to give the same answer in every run.
 */
export function hash53(...parts: readonly (string | number)[]): number {
  const text = parts.join('\u0000');
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (b & 0x1fffff) * 0x1_0000_0000 + (a >>> 0);
}

/** A number in [0, 1) that depends on the parts only: chance without dice, so a run can be repeated. */
export function chance(...parts: readonly (string | number)[]): number {
  return hash53(...parts) / 0x20_0000_0000_0000;
}

/** A number in [low, high) chosen by the parts; most results lie near the middle (mean of two chances). */
export function spread(low: number, high: number, ...parts: readonly (string | number)[]): number {
  const middle = (chance('a', ...parts) + chance('b', ...parts)) / 2;
  return low + (high - low) * middle;
}
