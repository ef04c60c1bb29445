import type { FileFault } from '../../dealer/order.ts';
import type { DealerProfile } from '../../dealer/profile.ts';
import type { AnswerDraft, InterchangeReading, Receipt, SentOrder } from '../reading.ts';
import { readX12, type X12Group, type X12Interchange } from './interchange.ts';
import { read850 } from './order-850.ts';
import { splitX12 } from './segments.ts';
import { routeOf, write997, writeTa1, type SetOutcome } from './write.ts';

const SET_WORDS: Readonly<Record<string, string>> = {
  '1': 'is none that is taken here (850)', '2': 'has no SE', '3': 'has another control number in SE than in ST', '4': 'has another number of segments than SE01 says', '23': 'has a control number that its group has used before',
};
const NOTE_WORDS: Readonly<Record<string, string>> = {
  '001': 'the control numbers of ISA and IEA differ', '006': 'the sender (ISA05, ISA06) is not the one of the profile', '008': 'the receiver (ISA07, ISA08) is not us', '021': 'IEA01 is not the number of groups', '022': 'segments stand outside of their envelope',
  '023': 'the file breaks off before IEA', '025': 'its control number was used before, for another content',
};
const GROUP_WORDS: Readonly<Record<string, string>> = { '1': 'is none of purchase orders (PO)', '3': 'has no GE', '4': 'has another control number in GE than in GS', '5': 'has another number of sets than GE01 says', '19': 'has a control number that its interchange has used before' };

/** Reads an X12 file: every interchange of it by itself. Throws EdiFault where no envelope can be read. */
export function readX12File(text: string, profile: DealerProfile): InterchangeReading[] {
  return splitX12(text).map((raw) => read(readX12(raw), profile));
}

function read(i: X12Interchange, profile: DealerProfile): InterchangeReading {
  const ta1 = (note: string): AnswerDraft => ({ kind: 'TA1', key: 'TA1', write: (n, at) => writeTa1(i, n, at, note) });
  const sender = `${i.from.qualifier}:${i.from.id}`;
  const out: InterchangeReading = { standard: 'x12', sender, control: i.control, test: i.test, text: i.text, orders: [], faults: [], answers: [], duplicate: ta1('025'), receipts: [], encoding: 'utf8' };
  const note = i.fault ?? (profile.edi.sender !== null && profile.edi.sender !== sender ? '006' : profile.edi.receiver !== null && profile.edi.receiver !== `${i.to.qualifier}:${i.to.id}` ? '008' : null);
  if (note !== null) {
    out.answers.push(ta1(note));
    out.faults.push({ line: i.groups[0]?.sets[0]?.segments[0]?.at ?? 1, orderNo: null, field: 'ISA', detail: `interchange ${i.control} is refused: ${NOTE_WORDS[note] ?? note}. Mend it and send it again` });
    return out;
  }
  if (i.wantsAck) out.answers.push(ta1('000'));
  for (const group of i.groups) {
    if (group.code === 'FA') out.receipts.push(...receiptsOf(group));
    else readGroup(i, group, profile, out);
  }
  return out;
}

function readGroup(i: X12Interchange, group: X12Group, profile: DealerProfile, out: InterchangeReading): void {
  const groupFaults = group.code === 'PO' ? group.faults : ['1'];
  for (const code of groupFaults) out.faults.push(fault(group.sets[0]?.segments[0]?.at ?? null, null, 'GS', `group ${group.control} ${GROUP_WORDS[code] ?? code}`));
  const outcomes: SetOutcome[] = [];
  const orders: SentOrder[] = [];
  for (const set of group.sets) {
    const at = set.segments[0]?.at ?? 1;
    const codes = set.type === '850' ? set.faults : ['1'];
    for (const code of codes) out.faults.push(fault(at, null, 'ST', `transaction set ${set.control} ${SET_WORDS[code] ?? code}`));
    if (set.type !== '850' || groupFaults.length > 0) {
      outcomes.push({ set, codes, faults: [] });
      continue;
    }
    const { order, orderDate, sent, faults } = read850(set, profile);
    outcomes.push({ set, codes, faults });
    const orderNo = set.segments.find((s) => s.tag === 'BEG')?.elements[2]?.trim() ?? null;
    for (const f of faults) out.faults.push(fault(f.at, orderNo, f.element && f.field !== null ? `${f.tag}${String(f.element.position).padStart(2, '0')} ${f.field}` : f.tag, f.detail));
    if (order) orders.push({ order, at, sent: { route: routeOf(i, group), orderDate, shipToAgency: '', parties: {}, ...sent } });
  }
  out.orders.push(...orders);
  out.answers.push({ kind: '997', key: `997:${group.control}`, write: (n, at) => write997(i, group, outcomes, groupFaults, n, at) });
}

const fault = (line: number | null, orderNo: string | null, field: string, detail: string): FileFault => ({ line, orderNo, field, detail });

/** What 997s of the dealer say of our groups (AK1, AK9). They are not acknowledged themselves (X12.20). */
function receiptsOf(group: X12Group): Receipt[] {
  return group.sets.flatMap((set) => {
    const control = Number(set.segments.find((s) => s.tag === 'AK1')?.elements[1]);
    const verdict = set.segments.find((s) => s.tag === 'AK9')?.elements[0];
    return set.type !== '997' || !Number.isSafeInteger(control) ? [] : [{ standard: 'x12' as const, control, verdict: verdict === 'A' || verdict === 'E' ? 'accepted' as const : verdict === 'P' ? 'partly' as const : 'rejected' as const }];
  });
}
