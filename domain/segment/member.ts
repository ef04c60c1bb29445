/** A member of a segment as a list names them; personal, so it lives in the vault only. `consent`: to offers, by every address that is given; null: the list says nothing. */
export type Member = { line: number; id: string | null; name: string | null; phone: string | null; email: string | null; wecom: string | null; consent: boolean | null };
/** `reason` never repeats what stood in the line: that is personal. */
export type BadMember = { line: number; reason: string };

export const MEMBER_COLUMNS = ['id', 'name', 'phone', 'email', 'wecom', 'consent'] as const;
const LONGEST = { id: 64, name: 200, phone: 32, email: 254, wecom: 128 } as const;
const CONSENT = new Map<unknown, boolean>([[true, true], [false, false], ['true', true], ['false', false], ['yes', true], ['no', false], ['1', true], ['0', false]]);

/** A line of a list as a member, or why it cannot be one. */
export function toMember(line: number, value: Readonly<Record<string, unknown>>): Member | BadMember {
  const bad = (reason: string): BadMember => ({ line, reason });
  const unknown = Object.keys(value).find((name) => !(MEMBER_COLUMNS as readonly string[]).includes(name));
  if (unknown !== undefined) return bad('a field is not known here; the fields are ' + MEMBER_COLUMNS.join(', '));
  const texts: Record<keyof typeof LONGEST, string | null> = { id: null, name: null, phone: null, email: null, wecom: null };
  for (const name of Object.keys(LONGEST) as (keyof typeof LONGEST)[]) {
    const given = value[name];
    if (given === undefined || given === null || given === '') continue;
    if (typeof given !== 'string') return bad(`${name} must be text`);
    const text = given.trim();
    if (text.length > LONGEST[name] || /[\u0000-\u001f\ud800-\udfff]/u.test(text)) return bad(`${name} is too long or holds characters that it cannot`);
    if (text !== '') texts[name] = text;
  }
  if (texts.phone !== null && !/^\+?[\d ()./-]{5,24}$/.test(texts.phone)) return bad('phone is no phone number');
  if (texts.email !== null && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(texts.email)) return bad('email is no e-mail address');
  if (texts.phone === null && texts.email === null && texts.wecom === null) return bad('give a phone, an email or a wecom id: nobody could be told otherwise');
  const consent = value['consent'];
  if (consent !== undefined && consent !== null && consent !== '' && !CONSENT.has(consent)) return bad('consent is yes or no');
  return { line, ...texts, consent: CONSENT.get(consent) ?? null };
}
