import type { RawInterchange, X12Segment, X12Separators } from './segments.ts';

/** A transaction set, ST to SE as far as it goes. `faults`: codes of AK502 (X12.20, code list 718). */
export type X12Set = { type: string; control: string; segments: X12Segment[]; faults: string[] };
/** A functional group. `faults`: codes of AK905 (code list 716); `included`: what GE01 says, else what came. */
export type X12Group = { code: string; from: string; to: string; control: string; version: string; included: number; sets: X12Set[]; faults: string[] };
/** `fault`: the note code of TA105 (code list I18) where the whole interchange is refused; its groups then do not count. */
export type X12Interchange = {
  separators: X12Separators; from: { qualifier: string; id: string }; to: { qualifier: string; id: string }; date: string; time: string; control: string; version: string; test: boolean; wantsAck: boolean;
  groups: X12Group[]; fault: string | null; text: string;
};

/** Reads the nesting ISA/GS/ST..SE/GE/IEA; every count and control number that does not fit is a fault where the standard has a code for it. */
export function readX12(raw: RawInterchange): X12Interchange {
  const [head] = raw.segments;
  const e = head?.elements ?? [];
  const groups: X12Group[] = [];
  let fault: string | null = null;
  let group: X12Group | null = null;
  let set: X12Set | null = null;
  let over = false;
  for (const s of raw.segments.slice(1)) {
    const el = (n: number): string => (s.elements[n - 1] ?? '').trim();
    if (over) fault ??= '022';
    else if (s.tag === 'GS') {
      endSet(set, null);
      if (group) group.faults.push('3');
      set = null;
      group = { code: el(1), from: el(2), to: el(3), control: el(6), version: el(8), included: 0, sets: [], faults: groups.some((g) => g.control === el(6)) ? ['19'] : [] };
      groups.push(group);
    } else if (s.tag === 'GE') {
      endSet(set, null);
      set = null;
      if (!group) fault ??= '022';
      else endGroup(group, el(1), el(2));
      group = null;
    } else if (s.tag === 'ST') {
      endSet(set, null);
      const own = group as X12Group | null;
      if (!own) fault ??= '022';
      set = { type: el(1), control: el(2), segments: [s], faults: own?.sets.some((x) => x.control === el(2)) === true ? ['23'] : [] };
      own?.sets.push(set);
    } else if (s.tag === 'SE') {
      if (!set) fault ??= '022';
      set?.segments.push(s);
      endSet(set, s);
      set = null;
    } else if (s.tag === 'IEA') {
      over = true;
      endSet(set, null);
      if (group) group.faults.push('3');
      if (el(2) !== (e[12] ?? '').trim()) fault ??= '001';
      else if (Number(el(1)) !== groups.length) fault ??= '021';
    } else if (s.tag === 'TA1' && !group) continue;
    else if (set) set.segments.push(s);
    else fault ??= '022';
  }
  if (!over) fault ??= '023';
  for (const g of groups) if (g.included === 0) g.included = g.sets.length;
  return {
    separators: raw.separators, text: raw.text, from: { qualifier: (e[4] ?? '').trim(), id: (e[5] ?? '').trim() }, to: { qualifier: (e[6] ?? '').trim(), id: (e[7] ?? '').trim() }, date: e[8] ?? '', time: e[9] ?? '',
    version: e[11] ?? '', control: (e[12] ?? '').trim(), wantsAck: e[13] === '1', test: e[14] === 'T', groups, fault,
  };
}

function endSet(set: X12Set | null, trailer: X12Segment | null): void {
  if (!set) return;
  if (!trailer) set.faults.push('2');
  else {
    if ((trailer.elements[1] ?? '').trim() !== set.control) set.faults.push('3');
    if (Number(trailer.elements[0]) !== set.segments.length) set.faults.push('4');
  }
}

function endGroup(group: X12Group, count: string, control: string): void {
  group.included = Number(count) || 0;
  if (control !== group.control) group.faults.push('4');
  if (group.included !== group.sets.length) group.faults.push('5');
}
