import type { ShopEvent } from '../platform/order.ts';
import { messageOf } from './show.ts';

type Message = { id: string; topic: string; content: string; pub_time: string; hiddenUntil: number };
/** What was taken and not confirmed comes again after this time. */
const HIDDEN_MS = 600_000;
/** However many are asked for: a short batch is not the last one. */
const MOST = 20;

/** The message service (TMC) of one app: a message waits until it is confirmed, each delivery of the same fact anew has an id of its own. */
export class Queue {
  #messages: Message[] = [];
  #last = 4_160_600_490_938_325_004n;

  add(events: readonly ShopEvent[]): void {
    for (const event of events) {
      const message = messageOf(event);
      if (message) this.#messages.push({ ...message, id: String((this.#last += 3n)), hiddenUntil: 0 });
    }
  }

  take(quantity: number, now: number): Message[] {
    const taken = this.#messages.filter((m) => m.hiddenUntil <= now).slice(0, Math.min(quantity, MOST));
    for (const m of taken) m.hiddenUntil = now + HIDDEN_MS;
    return taken;
  }

  confirm(ids: ReadonlySet<string>): void { this.#messages = this.#messages.filter((m) => !ids.has(m.id)); }
}
