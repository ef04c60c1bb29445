const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const VALUE = new Map([...ALPHABET].map((c, i) => [c, i]));

export type IdPrefix = 'ord' | 'ful' | 'shp' | 'par' | 'rma' | 'ref' | 'rrq' | 'dec' | 'res' | 'sim' | 'can' | 'trf' | 'wav' | 'msg' | 'whe' | 'evt' | 'prm' | 'cpn' | 'alr' | 'mov' | 'rpl' | 'pur' | 'cmp' | 'fil';

/** A UUID as clients see it: prefix and 26 Crockford base32 characters, so that kinds cannot be mixed up and order by time is kept. */
export function encodeId(prefix: IdPrefix, uuid: string): string {
  const hex = uuid.replaceAll('-', '');
  let out = '';
  // 128 bits are read as 130 with two leading zero bits: 26 groups of five.
  let bits = 0;
  let count = 2;
  for (let i = 0; i < 32; i++) {
    bits = (bits << 4) | parseInt(hex[i] as string, 16);
    count += 4;
    if (count >= 5) {
      count -= 5;
      out += ALPHABET[(bits >> count) & 31];
      bits &= (1 << count) - 1;
    }
  }
  return `${prefix}_${out}`;
}

/** The UUID of an outside id, or null when the prefix, the length or a character is wrong. */
export function decodeId(prefix: IdPrefix, id: string): string | null {
  if (id.length !== prefix.length + 27 || !id.startsWith(`${prefix}_`)) return null;
  let hex = '';
  let bits = 0;
  let count = -2;
  for (const char of id.slice(prefix.length + 1)) {
    const value = VALUE.get(char);
    if (value === undefined) return null;
    if (count === -2 && value > 7) return null;
    bits = (bits << 5) | value;
    count += 5;
    while (count >= 4) {
      count -= 4;
      hex += ((bits >> count) & 15).toString(16);
      bits &= (1 << count) - 1;
    }
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
