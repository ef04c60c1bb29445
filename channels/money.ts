import { PartnerRefused } from '../domain/http-port.ts';

/** Minor digits by ISO 4217; two for every other currency. */
const DIGITS: Readonly<Record<string, number>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, UYI: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3, CLF: 4, UYW: 4,
};

export const minorDigits = (currency: string): number => DIGITS[currency] ?? 2;

/**
 * A decimal amount in the major unit ("12.5", 12.5) in minor units. Digits beyond the currency's own must be zeros: an amount is never rounded silently.
 * Throws PartnerRefused for what is no amount.
 */
export function minorUnits(value: unknown, currency: string): number {
  const text = typeof value === 'number' ? String(value) : value;
  const match = typeof text === 'string' ? /^(-?)(\d{1,13})(?:\.(\d*))?$/.exec(text.trim()) : null;
  if (!match) throw new PartnerRefused(200, `"${String(value)}" is no amount of ${currency}`);
  const digits = minorDigits(currency);
  const fraction = match[3] ?? '';
  if (/[1-9]/.test(fraction.slice(digits))) throw new PartnerRefused(200, `"${String(value)}" has more decimals than ${currency}`);
  const n = Number(`${match[2] ?? ''}${fraction.slice(0, digits).padEnd(digits, '0')}`);
  return match[1] === '-' && n !== 0 ? -n : n;
}

/** Minor units as a decimal in the major unit. */
export function majorUnits(amount: number, currency: string): string {
  const digits = minorDigits(currency);
  const text = String(Math.abs(amount)).padStart(digits + 1, '0');
  const sign = amount < 0 ? '-' : '';
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
