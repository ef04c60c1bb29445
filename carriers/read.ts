import { timingSafeEqual } from 'node:crypto';
import { parseSafe } from '../domain/exact-json.ts';

/** Readers of something that came from outside: each says what it wants and gives null (or the empty value) for anything else. */
export type Bag = Readonly<Record<string, unknown>>;
export const bag = (value: unknown): Bag => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Bag : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value as unknown[] : []);
/** Text, or a number as text; null for anything else and for empty text. */
export const text = (value: unknown): string | null => (typeof value === 'string' ? (value === '' ? null : value) : typeof value === 'number' && Number.isFinite(value) ? String(value) : null);

/** JSON, ids beyond 2^53 kept exact as text; null where it is none. */
export function parseJson(body: string): unknown {
  try {
    return parseSafe(body);
  } catch {
    return null; // whoever asks treats it as malformed
  }
}

/** `yyyy-MM-dd HH:mm:ss` of GMT+8 as ISO 8601 in UTC; null where it is no such moment. */
export function chinaTime(value: unknown): string | null {
  const match = typeof value === 'string' ? /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)$/.exec(value.trim()) : null;
  const at = match ? new Date(`${match[1] ?? ''}T${match[2] ?? ''}+08:00`) : null;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}
/** A moment as `yyyy-MM-dd HH:mm:ss` of GMT+8. */
export const inChina = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
/** Any ISO 8601 moment with an offset, in UTC; null for anything else. */
export function isoTime(value: unknown): string | null {
  const at = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) && /(?:Z|[+-]\d{2}:?\d{2})$/.test(value) ? new Date(value) : null;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : null;
}

/** Compares two texts without telling by time where they differ. */
export function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** A map of texts from settings; anything else in it is left out. */
export const textMap = (value: unknown): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(bag(value)).flatMap(([k, v]) => { const t = text(v); return t === null ? [] : [[k, t]]; }));
/** Our code for a partner's word, by a map of ours to theirs. */
export const inverse = (map: Readonly<Record<string, string>>, theirs: string | null): string | null => (theirs === null ? null : Object.entries(map).find(([, v]) => v.toLowerCase() === theirs.toLowerCase())?.[0] ?? null);
