import type { DealerOrder, FileFault } from '../dealer/order.ts';
import type { Numbers, Sent } from './answer.ts';

/** An order of a file and the envelope by which it is answered. `at`: the segment or row that it begins in. */
export type SentOrder = { order: DealerOrder; sent: Sent; at: number };
/** A document that answers an interchange; `key` names it within the interchange. Written when its control numbers are known. */
export type AnswerDraft = { kind: '997' | 'TA1' | 'CONTRL'; key: string; write: (numbers: Numbers, at: number) => string };
/** What the dealer says of a document of ours: X12 997 names our group (GS06), EDIFACT CONTRL our interchange (0020). */
export type Receipt = { standard: 'x12' | 'edifact'; control: number; verdict: 'accepted' | 'partly' | 'rejected' };
/**
 * An interchange as it was read. `sender` and `control`: by which a copy is known. `duplicate`: what is answered instead when the control number was used for another content. `text`: its own characters.
 */
export type InterchangeReading = {
  standard: 'x12' | 'edifact'; sender: string; control: string; test: boolean; text: string; orders: SentOrder[]; faults: FileFault[]; answers: AnswerDraft[]; duplicate: AnswerDraft; receipts: Receipt[];
  /** of what is written back */
  encoding: 'utf8' | 'latin1';
};
