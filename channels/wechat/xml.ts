import type { Bag } from '../safe-json.ts';

const ELEMENT = /<([A-Za-z_][\w.-]*)>(?:<!\[CDATA\[([\s\S]*?)\]\]>|([\s\S]*?))<\/\1>/g;
const ENTITY: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };

/** Elements without attributes, as WeChat's messages are written: text, CDATA or further elements; of several with one name the last. No declaration, DTD or entity of its own is read. */
export function readXml(xml: string, depth = 0): Bag {
  if (/<[!?](?!\[CDATA\[)/.test(xml) || depth > 8) throw new SyntaxError('only plain elements are read');
  const found: Record<string, unknown> = {};
  for (const [, name, cdata, inner] of xml.matchAll(ELEMENT)) {
    const nested = cdata === undefined && inner !== undefined && inner.includes('<');
    found[name ?? ''] = nested ? readXml(inner, depth + 1) : cdata ?? (inner ?? '').replace(/&(?:lt|gt|quot|apos|amp);/g, (e) => ENTITY[e] ?? e);
  }
  if (Object.keys(found).length === 0) throw new SyntaxError('no element was found');
  return found;
}
