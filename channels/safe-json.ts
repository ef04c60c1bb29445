export { parseSafe } from '../domain/exact-json.ts';

/** Fields of something that came from outside: each reader says what it wants and gets null (or the empty value) for anything else. */
export type Bag = Readonly<Record<string, unknown>>;
export const bag = (value: unknown): Bag => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Bag : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value as unknown[] : []);
/** Text, or a number as text; null for anything else and for empty text. */
export const text = (value: unknown): string | null => (typeof value === 'string' ? (value === '' ? null : value) : typeof value === 'number' && Number.isFinite(value) ? String(value) : null);
/** A safe whole number, also from text; null for anything else. */
export function whole(value: unknown): number | null {
  const n = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof n === 'number' && Number.isSafeInteger(n) ? n : null;
}

/** JSON that writes a bigint as the number it is. */
export function longJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(longJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).flatMap(([k, v]) => (v === undefined ? [] : [`${JSON.stringify(k)}:${longJson(v)}`])).join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}
/** A platform's id as the number that it wants; other ids stay text. */
export const long = (id: string): bigint | string => (/^[1-9]\d{0,18}$/.test(id) ? BigInt(id) : id);
