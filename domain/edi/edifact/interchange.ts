import type { EdifactSegment, EdifactSeparators, RawEdifact } from './segments.ts';

/** A syntax error as CONTRL says it: 0085, the segment (0013), position of the element (the tag is 1) and of the component. */
export type SyntaxFault = { code: string; tag: string; element: number | null; component: number | null };
export type EdifactMessage = { reference: string; type: string; version: string; release: string; agency: string; association: string; segments: EdifactSegment[]; fault: SyntaxFault | null };
/** `from`, `to`: the composites of UNB. `fault`: why the whole interchange is refused. */
export type EdifactInterchange = {
  separators: EdifactSeparators; syntax: string; syntaxVersion: string; from: string[]; to: string[]; control: string; test: boolean; messages: EdifactMessage[]; fault: SyntaxFault | null; text: string;
};

export const SYNTAXES = ['UNOA', 'UNOB', 'UNOC', 'UNOW', 'UNOY'];

/** Reads UNB/UNH..UNT/UNZ; counts and references that do not fit are faults (UN/ECE code list 0085). Groups (UNG) are not taken. */
export function readEdifact(raw: RawEdifact): EdifactInterchange {
  const [head] = raw.segments;
  const e = head?.elements ?? [];
  const messages: EdifactMessage[] = [];
  let fault: SyntaxFault | null = null;
  let message: EdifactMessage | null = null;
  let over = false;
  const control = e[4]?.[0] ?? '';
  const syntax = e[0]?.[0] ?? '';
  const refuse = (code: string, tag: string, element: number | null = null, component: number | null = null): void => { fault ??= { code, tag, element, component }; };
  if (!SYNTAXES.includes(syntax)) refuse('2', 'UNB', 2, 1);
  if (control === '') refuse('13', 'UNB', 6);
  for (const s of raw.segments.slice(1)) {
    const el = (n: number, c = 1): string => s.elements[n - 1]?.[c - 1] ?? '';
    if (over) refuse('15', s.tag);
    else if (s.tag === 'UNH') {
      if (message) (message as EdifactMessage).fault ??= { code: '13', tag: 'UNT', element: null, component: null };
      message = { reference: el(1), type: el(2, 1), version: el(2, 2), release: el(2, 3), agency: el(2, 4), association: el(2, 5), segments: [s], fault: messages.some((m) => m.reference === el(1)) ? { code: '26', tag: 'UNH', element: 2, component: null } : null };
      messages.push(message);
    } else if (s.tag === 'UNT') {
      if (!message) refuse('15', 'UNT');
      else {
        message.segments.push(s);
        if (el(2) !== message.reference) message.fault ??= { code: '28', tag: 'UNT', element: 3, component: null };
        if (Number(el(1)) !== message.segments.length) message.fault ??= { code: '29', tag: 'UNT', element: 2, component: null };
      }
      message = null;
    } else if (s.tag === 'UNZ') {
      over = true;
      if (message) message.fault ??= { code: '13', tag: 'UNT', element: null, component: null };
      if (el(2) !== control) refuse('28', 'UNZ', 3);
      else if (Number(el(1)) !== messages.length) refuse('29', 'UNZ', 2);
    } else if (message) message.segments.push(s);
    else refuse('15', s.tag);
  }
  if (!over) refuse('13', 'UNZ');
  return {
    separators: raw.separators, syntax, syntaxVersion: e[0]?.[1] ?? '', from: e[1] ?? [''], to: e[2] ?? [''], control, test: e[10]?.[0] === '1', messages, fault, text: raw.text,
  };
}
