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
