import { hash53 } from '../shared/chance.ts';
import type { Journal } from '../shared/journal.ts';
import { addEvent, issued, type InterceptAnswer, type Tracking, type Waybill, type WaybillFacts } from './waybill.ts';

type WaybillRecord =
  | { readonly k: 'waybill'; readonly facts: WaybillFacts }
  | { readonly k: 'cancel'; readonly no: string }
  | { readonly k: 'intercept'; readonly no: string; readonly requestId: string; readonly answer: InterceptAnswer }
  | { readonly k: 'event'; readonly no: string; readonly status: Tracking; readonly at: number; readonly silent: boolean }
  | { readonly k: 'pushed'; readonly events: readonly (readonly [no: string, index: number])[] };

/** All waybills by number, and which request each was issued for. */
export class WaybillStore {
  readonly #byNo = new Map<string, Waybill>();
  readonly #byRequest = new Map<string, Waybill>();
  #journal: Journal | undefined;

  /** From here on changes are written; before, during replay, they are not. */
  writeTo(journal: Journal): void {
    this.#journal = journal;
  }

  get(no: string): Waybill | undefined {
    return this.#byNo.get(no);
  }

  forRequest(requestId: string): Waybill | undefined {
    return this.#byRequest.get(requestId);
  }

  all(): Iterable<Waybill> {
    return this.#byNo.values();
  }

  /** A free number: prefix and 13 digits, from the seed and the request, so the same run issues the same numbers. */
  newNumber(prefix: string, seed: string, requestId: string): string {
    for (let attempt = 0; ; attempt += 1) {
      const digits = (hash53('waybill', seed, requestId, attempt) % 1e13).toString().padStart(13, '0');
      if (!this.#byNo.has(prefix + digits)) return prefix + digits;
    }
  }

  add(facts: WaybillFacts): Waybill {
    const waybill = issued(facts);
    this.#byNo.set(waybill.no, waybill);
    this.#byRequest.set(waybill.requestId, waybill);
    this.#write({ k: 'waybill', facts });
    return waybill;
  }

  cancel(waybill: Waybill): void {
    waybill.status = 'cancelled';
    this.#write({ k: 'cancel', no: waybill.no });
  }

  intercept(waybill: Waybill, requestId: string, answer: InterceptAnswer): void {
    waybill.intercept = { requestId, answer };
    this.#write({ k: 'intercept', no: waybill.no, requestId, answer });
  }

  /** Adds an event; a silent one is never pushed. Returns its index. */
  event(waybill: Waybill, status: Tracking, at: number, silent: boolean): number {
    const index = addEvent(waybill, status, at);
    if (silent) waybill.pushed |= 1 << index;
    this.#write({ k: 'event', no: waybill.no, status, at, silent });
    return index;
  }

  markPushed(events: readonly (readonly [no: string, index: number])[]): void {
    for (const [no, index] of events) this.#known(no).pushed |= 1 << index;
    this.#write({ k: 'pushed', events });
  }

  /** Does again what a record says. Returns false for a record of another kind. */
  replay(raw: { readonly k: string }): boolean {
    const record = raw as WaybillRecord;
    switch (record.k) {
      case 'waybill':
        this.add(record.facts);
        return true;
      case 'cancel':
        this.cancel(this.#known(record.no));
        return true;
      case 'intercept':
        this.intercept(this.#known(record.no), record.requestId, record.answer);
        return true;
      case 'event':
        this.event(this.#known(record.no), record.status, record.at, record.silent);
        return true;
      case 'pushed':
        this.markPushed(record.events);
        return true;
      default:
        return false;
    }
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { status } of this.#byNo.values()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  #known(no: string): Waybill {
    const waybill = this.#byNo.get(no);
    if (waybill === undefined) throw new Error(`the state file names waybill ${no}, which was never issued`);
    return waybill;
  }

  #write(record: WaybillRecord): void {
    this.#journal?.append(record);
  }
}
