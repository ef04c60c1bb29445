const EAST_MS = 8 * 3_600_000;

/** `yyyy-MM-dd HH:mm:ss` in GMT+8, as the platforms of China write times. */
export const chinaTime = (ms: number): string => new Date(ms + EAST_MS).toISOString().slice(0, 19).replace('T', ' ');

/** ms since epoch of such a time; null for anything else. */
export function fromChinaTime(value: unknown): number | null {
  const match = typeof value === 'string' ? /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(value) : null;
  if (!match) return null;
  const ms = Date.parse(`${match.slice(1, 4).join('-')}T${match.slice(4, 7).join(':')}+08:00`);
  return Number.isNaN(ms) ? null : ms;
}
