import { MAX_QUANTITY } from './order.ts';

/** A value that could not be read: why, and how to mend it. */
export type Unread = { wrong: string };
export const isUnread = (value: unknown): value is Unread => typeof value === 'object' && value !== null && 'wrong' in value;

/** Minor digits by ISO 4217; two for every other currency. */
const DIGITS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4,
};

/** What a spreadsheet makes of long digits: nobody can tell which number it was. */
const BROKEN = /^\d([.,]\d+)?E\+?\d+$/i;
export function readId(text: string): string | Unread {
  return BROKEN.test(text) ? { wrong: `"${text}" is a number that a spreadsheet has cut short: format the column as text` } : text;
}

/** Whole units; a decimal part must be zeros. Grouping marks are not taken: nobody can tell 1.000 from 1,000. */
export function readQuantity(text: string, decimal: '.' | ','): number | Unread {
  const match = (decimal === '.' ? /^\+?(\d{1,9})(?:\.0*)?$/ : /^\+?(\d{1,9})(?:,0*)?$/).exec(text);
  const n = Number(match?.[1] ?? 0);
  return match && n >= 1 && n <= MAX_QUANTITY ? n : { wrong: `"${text}" is no quantity: a whole number from 1 to ${MAX_QUANTITY}, without grouping marks` };
}

/** A decimal amount of the major unit in minor units; never rounded. */
export function readAmount(text: string, decimal: '.' | ',', currency: string): number | Unread {
  const match = (decimal === '.' ? /^\+?(\d{0,12})(?:\.(\d*))?$/ : /^\+?(\d{0,12})(?:,(\d*))?$/).exec(text);
  const digits = DIGITS[currency] ?? 2;
  const [whole = '', fraction = ''] = match ? [match[1], match[2]] : [];
  if (!match || whole + fraction === '') return { wrong: `"${text}" is no price: digits, with "${decimal}" before the decimals and no grouping marks` };
  if (/[1-9]/.test(fraction.slice(digits))) return { wrong: `"${text}" has more decimals than ${currency} (${digits})` };
  return Number(`${whole}${fraction.slice(0, digits).padEnd(digits, '0')}`);
}

/** A day of the calendar as ms since epoch (its first moment in UTC), by a format of YYYY, YY, MM, DD, HH, mm and anything between them. */
export function readDate(text: string, format: string): number | Unread {
  const names: string[] = [];
  const pattern = format.replace(/YYYY|YY|MM|DD|HH|mm|[.*+?^${}()|[\]\\]/g, (part) => {
    if (!/^[A-Za-z]+$/.test(part)) return `\\${part}`;
    names.push(part);
    return part === 'YYYY' ? '(\\d{4})' : '(\\d{2})';
  });
  const match = new RegExp(`^${pattern}$`).exec(text);
  const of = (name: string, otherwise: number): number => { const i = names.indexOf(name); return i < 0 ? otherwise : Number(match?.[i + 1]); };
  const year = names.includes('YY') ? 2000 + of('YY', 0) : of('YYYY', 0);
  return (match && moment(year, of('MM', 1), of('DD', 1), of('HH', 0), of('mm', 0))) ?? { wrong: `"${text}" is no date as ${format}` };
}

/** To be shipped by a day means by its end; ms. */
export const END_OF_DAY = 86_399_000;

/** Null: no such day or time. */
export function moment(year: number, month: number, day: number, hour = 0, minute = 0): number | null {
  const at = Date.UTC(year, month - 1, day, hour, minute);
  const date = new Date(at);
  return year >= 1900 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 ? at : null;
}

/** Days since 1899-12-30, as Excel keeps dates (its 1900 system). */
export function excelDate(serial: number): number { return Math.round((serial - 25_569) * 86_400) * 1000; }

/**
 * A cell of a CSV that we write: quoted by RFC 4180 where needed. A text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection): = + - @, tab, CR, and their full-width forms.
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r\n|%＝＋－＠]/.test(value.trimStart()) || /^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",;\t\r\n]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
export const csvRow = (cells: readonly (string | number | null)[]): string => `${cells.map(csvCell).join(',')}\r\n`;
