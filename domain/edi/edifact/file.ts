import type { DealerProfile } from '../../dealer/profile.ts';
import type { AnswerDraft, InterchangeReading, Receipt, SentOrder } from '../reading.ts';
import { readEdifact, type EdifactInterchange, type SyntaxFault } from './interchange.ts';
import { readOrders } from './orders.ts';
import { encodingOf, splitEdifact } from './segments.ts';
import { routeOf, writeContrl, type MessageOutcome } from './write.ts';

const WORDS: Readonly<Record<string, string>> = {
  '2': 'its character set is not known here: UNOA, UNOB, UNOC, UNOW or UNOY', '7': 'the receiver is not us', '12': 'a value is not taken', '13': 'something is missing', '15': 'a segment stands where none may', '23': 'the sender is not the one of the profile',
  '26': 'its number was used before', '28': 'the references at its beginning and end differ', '29': 'its count is not what came',
};
const words = (f: SyntaxFault): string => `${WORDS[f.code] ?? f.code} (${f.tag})`;
const idOf = (party: readonly string[]): string => [party[0] ?? '', ...(party[1] ? [party[1]] : [])].join(':');

/** Reads an EDIFACT file: every interchange of it by itself. Throws EdiFault where none can be read. */
export function readEdifactFile(text: string, profile: DealerProfile): InterchangeReading[] {
  return splitEdifact(text).map((raw) => read(readEdifact(raw), profile));
}

function read(i: EdifactInterchange, profile: DealerProfile): InterchangeReading {
  const outcomes: MessageOutcome[] = [];
  const contrl = (fault: SyntaxFault | null): AnswerDraft => ({ kind: 'CONTRL', key: 'CONTRL', write: (n, at) => writeContrl(i, outcomes, fault, n, at) });
  const sender = idOf(i.from);
  const out: InterchangeReading = {
    standard: 'edifact', sender, control: i.control, test: i.test, text: i.text, orders: [], faults: [], answers: [], duplicate: contrl({ code: '26', tag: 'UNB', element: 6, component: null }), receipts: [], encoding: encodingOf(i.syntax),
  };
  const party = (code: string, element: number): SyntaxFault => ({ code, tag: 'UNB', element, component: 1 });
  const fault = i.fault ?? (profile.edi.sender !== null && profile.edi.sender !== sender ? party('23', 3) : profile.edi.receiver !== null && profile.edi.receiver !== idOf(i.to) ? party('7', 4) : null);
  if (fault) {
    out.answers.push(contrl(fault));
    out.faults.push({ line: 1, orderNo: null, field: fault.tag, detail: `interchange ${i.control} is refused: ${words(fault)}. Mend it and send it again` });
    return out;
  }
  const orders: SentOrder[] = [];
  for (const message of i.messages) {
    if (message.type === 'CONTRL') {
      out.receipts.push(...receiptOf(message.segments.find((s) => s.tag === 'UCI')?.elements));
      continue;
    }
    const at = message.segments[0]?.at ?? 1;
    const unknown: SyntaxFault | null = message.type !== 'ORDERS' ? { code: '12', tag: 'UNH', element: 3, component: 1 } : message.version !== 'D' || message.release !== '96A' ? { code: '12', tag: 'UNH', element: 3, component: 3 } : null;
    const own = unknown ?? message.fault;
    if (own) out.faults.push({ line: at, orderNo: null, field: own.tag, detail: unknown ? `message ${message.reference} is ${message.type}:${message.version}:${message.release}: ORDERS:D:96A is taken` : `message ${message.reference} is refused: ${words(own)}` });
    if (unknown) {
      outcomes.push({ message, fault: own, faults: [] });
      continue;
    }
    const { order, sent, faults } = readOrders(message, i, profile);
    outcomes.push({ message, fault: own, faults });
    const orderNo = message.segments.find((s) => s.tag === 'BGM')?.elements[1]?.[0] ?? null;
    for (const f of faults) out.faults.push({ line: f.at, orderNo, field: f.field, detail: f.detail });
    if (order && !own) orders.push({ order, at, sent: { route: routeOf(i, message.association), ...sent } });
  }
  out.orders.push(...orders);
  if (outcomes.length > 0) out.answers.push(contrl(null)); // a CONTRL is not answered by another
  return out;
}

function receiptOf(uci: readonly string[][] | undefined): Receipt[] {
  const control = Number(uci?.[0]?.[0]);
  const action = uci?.[3]?.[0];
  return !Number.isSafeInteger(control) ? [] : [{ standard: 'edifact', control, verdict: action === '4' ? 'rejected' : 'accepted' }];
}
