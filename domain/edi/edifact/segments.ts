import { EdiFault } from '../fault.ts';

/** ISO 9735 version 3: the service string advice UNA says what separates; without it `:+.? '`. */
export type EdifactSeparators = { component: string; element: string; decimal: string; release: string; segment: string; una: string };
/** `elements[0]` is the first data element after the tag, each a list of its components. `at`: the segment's number in the file, from 1. */
export type EdifactSegment = { tag: string; elements: string[][]; at: number };
export type RawEdifact = { separators: EdifactSeparators; segments: EdifactSegment[]; text: string };

const DEFAULT = { component: ':', element: '+', decimal: '.', release: '?', segment: "'" };
const MAX_SEGMENTS = 200_000;

/** Splits a file into its interchanges, each with the separators of its own UNA. Throws EdiFault where none can be read. */
export function splitEdifact(text: string): RawEdifact[] {
  const found: RawEdifact[] = [];
  let at = 1;
  let from = skip(text, 0);
  while (from < text.length) {
    const begin = from;
    const separators: EdifactSeparators = { ...DEFAULT, una: '' };
    if (text.startsWith('UNA', from)) {
      const una = text.slice(from, from + 9);
      const [component = '', element = '', decimal = '', release = '', , segment = ''] = una.slice(3);
      if (una.length < 9 || new Set([component, element, segment]).size < 3 || decimal === '' || release === '') throw new EdiFault('UNA does not name its six characters', at);
      Object.assign(separators, { component, element, decimal, release, segment, una });
      from = skip(text, from + 9);
    }
    if (!text.startsWith('UNB', from)) throw new EdiFault('what stands here is no interchange: it begins with UNA or UNB', at);
    const segments: EdifactSegment[] = [];
    let end = from;
    while (end < text.length) {
      const read = readSegment(text, end, separators);
      if (!read) {
        end = text.length;
        break; // breaks off
      }
      if (segments.length >= MAX_SEGMENTS) throw new EdiFault(`more than ${MAX_SEGMENTS} segments in one file`, at);
      segments.push({ ...read.segment, at });
      at += 1;
      end = read.end;
      const next = skip(text, end);
      if (read.segment.tag === 'UNZ' || next >= text.length || text.startsWith('UNA', next) || text.startsWith('UNB', next)) break;
      end = next;
    }
    found.push({ separators, segments, text: text.slice(begin, end) });
    from = skip(text, end);
  }
  return found;
}

function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text[at] === '\r' || text[at] === '\n' || text[at] === ' ' || text[at] === '\uFEFF')) at += 1;
  return at;
}

/** A segment from `from` on, its release characters undone; null where its terminator is missing. */
function readSegment(text: string, from: number, s: EdifactSeparators): { segment: Omit<EdifactSegment, 'at'>; end: number } | null {
  const elements: string[][] = [['']];
  let element = elements[0] as string[];
  const append = (c: string): void => { element[element.length - 1] = `${element[element.length - 1] ?? ''}${c}`; };
  for (let i = from; i < text.length; i++) {
    const c = text[i] as string;
    if (c === s.release && s.release !== ' ') {
      i += 1;
      append(text[i] ?? '');
    } else if (c === s.component) element.push('');
    else if (c === s.element) elements.push((element = ['']));
    else if (c === s.segment) return { segment: { tag: elements[0]?.[0] ?? '', elements: elements.slice(1) }, end: i + 1 };
    else if (c !== '\r' && c !== '\n') append(c);
  }
  return null;
}

/** UNOW and UNOY are UTF-8 (ISO 10646); the others hold at most what ISO 8859-1 does. */
export const encodingOf = (syntax: string): 'utf8' | 'latin1' => (syntax === 'UNOW' || syntax === 'UNOY' ? 'utf8' : 'latin1');

/** What the interchange's character set cannot hold becomes a space (ISO 9735 annex A; UNOA has no small letters). */
function fit(text: string, syntax: string): string {
  const set = syntax === 'UNOA' || syntax === 'UNOB' ? /[^\x20-\x7e]/gu : syntax === 'UNOC' ? /[^\x20-\x7e\xa0-\xff]/gu : /[\x00-\x1f\x7f]/gu;
  return (syntax === 'UNOA' ? text.toUpperCase() : text).replace(set, ' ');
}

/** A segment by the default separators; empty components and elements at the end are left out. An element is text or its components. */
export function edifactSegment(syntax: string, tag: string, ...elements: (string | number | readonly (string | number)[])[]): string {
  const escape = (value: string | number): string => fit(String(value), syntax).replace(/[?:+']/g, '?$&');
  const parts = elements.map((e) => {
    const components = (typeof e === 'object' ? e : [e]).map(escape);
    while (components.length > 0 && components.at(-1) === '') components.pop();
    return components.join(':');
  });
  while (parts.length > 0 && parts.at(-1) === '') parts.pop();
  return `${[tag, ...parts].join('+')}'`;
}
