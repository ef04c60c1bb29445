/**
 * JSON whose whole numbers beyond 2^53 stay exact, as text: platforms' ids are such numbers. Every other value is as JSON.parse gives it.
 * Throws SyntaxError.
 */
export function parseSafe(text: string): unknown {
  return JSON.parse(quoteLong(text)) as unknown;
}

/** Puts quotes around whole numbers of 16 digits and more that stand outside of strings. Fractions and exponents stay: they are no ids. */
function quoteLong(text: string): string {
  let out = '';
  let copied = 0;
  for (let i = 0; i < text.length;) {
    const c = text.charCodeAt(i);
    if (c === 34) { // a string: to its end
      for (i++; i < text.length && text.charCodeAt(i) !== 34; i++) if (text.charCodeAt(i) === 92) i++;
      i++;
    } else if (c === 45 || (c >= 48 && c <= 57)) {
      const begin = i++;
      while (i < text.length && isNumberPart(text.charCodeAt(i))) i++;
      const number = text.slice(begin, i);
      if (number.length >= 16 && /^-?[1-9]\d*$/.test(number) && !Number.isSafeInteger(Number(number))) {
        out += `${text.slice(copied, begin)}"${number}"`;
        copied = i;
      }
    } else i++;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

const isNumberPart = (c: number): boolean => (c >= 48 && c <= 57) || c === 43 || c === 45 || c === 46 || c === 69 || c === 101;

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
