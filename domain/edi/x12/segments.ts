import { EdiFault } from '../fault.ts';

/** ASC X12.5/X12.6: ISA is 106 characters wide and says by its own places what separates: element at 4, component at 105, segment at 106. */
export type X12Separators = { element: string; component: string; repetition: string; segment: string };
/** `at`: the segment's number in the file, from 1. `elements[0]` is the first element after the tag. */
export type X12Segment = { tag: string; elements: string[]; at: number };
/** One interchange of a file, as it stands. `text`: its own characters, by which a copy is known. */
export type RawInterchange = { separators: X12Separators; segments: X12Segment[]; text: string };

const ISA_LENGTH = 106;
/** Widths of the 16 elements of ISA. */
const ISA_WIDTHS = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];
export const MAX_SEGMENTS = 200_000;

/** Splits a file into its interchanges; line ends between segments do not count. Throws EdiFault where no envelope can be read at all. */
export function splitX12(text: string): RawInterchange[] {
  const found: RawInterchange[] = [];
  let at = 1;
  let from = skipEnds(text, 0);
  while (from < text.length) {
    if (!text.startsWith('ISA', from)) throw new EdiFault('what stands here is no interchange: it begins with ISA', at);
    if (text.length < from + ISA_LENGTH) throw new EdiFault('ISA is 106 characters wide: the file ends before', at);
    const separators = { element: text[from + 3] ?? '', component: text[from + 104] ?? '', segment: text[from + 105] ?? '', repetition: text[from + 82] ?? '' };
    const isa = text.slice(from, from + 105).split(separators.element);
    if (isa.length !== 17 || !ISA_WIDTHS.every((width, i) => isa[i + 1]?.length === width) || new Set([separators.element, separators.component, separators.segment]).size < 3 || /[A-Za-z0-9 ]/.test(separators.element + separators.component + separators.segment)) {
      throw new EdiFault('ISA does not have its fixed widths (106 characters, 16 elements)', at);
    }
    const segments: X12Segment[] = [];
    let next = from;
    let end = from;
    for (;;) {
      const stop = text.indexOf(separators.segment, next === from ? from + 105 : next);
      if (stop < 0) {
        end = text.length;
        break; // breaks off: its trailer is missing, and whoever reads it says so
      }
      const [tag = '', ...elements] = text.slice(next, stop).split(separators.element);
      if (segments.length >= MAX_SEGMENTS) throw new EdiFault(`more than ${MAX_SEGMENTS} segments in one file`, at);
      segments.push({ tag, elements, at });
      at += 1;
      end = stop + 1;
      next = skipEnds(text, end);
      if (tag === 'IEA' || text.startsWith('ISA', next)) break;
      if (next >= text.length) break;
    }
    found.push({ separators, segments, text: text.slice(from, end) });
    from = skipEnds(text, end);
  }
  return found;
}

function skipEnds(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text[at] === '\r' || text[at] === '\n' || text[at] === ' ' || text[at] === '\uFEFF' || text[at] === '\u001a')) at += 1;
  return at;
}

/** A segment as it is written; empty elements at the end are left out. X12 has no way to say a separator: it becomes a space (but not a hyphen that ISA11 names: partners who do so write hyphens all the same). */
export function x12Segment(route: { element: string; component: string; segment: string; repetition: string }, tag: string, ...elements: (string | number)[]): string {
  const marks = new Set([route.element, route.component, route.segment, '\r', '\n', ...(/[A-Za-z0-9 -]/.test(route.repetition) ? [] : [route.repetition])]);
  const clean = elements.map((e) => Array.from(String(e), (c) => (marks.has(c) ? ' ' : c)).join('').trim());
  while (clean.length > 0 && clean.at(-1) === '') clean.pop();
  return [tag, ...clean].join(route.element) + route.segment;
}
