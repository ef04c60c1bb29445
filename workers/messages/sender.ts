import type { Logger } from 'pino';
import type { RawHttp } from '../../channels/channel.ts';
import { addressOf } from '../../db/messages/consents.ts';
import { leaseMessages } from '../../db/messages/lease.ts';
import { settleDelivery, takeSent } from '../../db/messages/settle.ts';
import type { Store } from '../../db/store.ts';
import type { Http } from '../../domain/http-port.ts';
import { encodeId } from '../../domain/ids.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { MessengerIo } from '../../messengers/messenger.ts';
import { repeat } from '../repeat.ts';
import { Accounts } from './accounts.ts';
import { deliverMessage, type MessageOutcome } from './deliver.ts';

/** Longer than any try may take: who has a message longer is dead. */
const LEASE_MS = 60_000;
const TIMEOUT_MS = 15_000;
const SLOTS = 20;
const CHECK_EVERY_MS = 30_000;

export type SenderDeps = { store: Pick<Store, 'pool' | 'vault' | 'writer'>; http: Http; raw: RawHttp; logger: Logger; onHandled?: (outcome: MessageOutcome) => void };

/** Sends what is due, some at a time, and asks what became of what was sent. Every worker has one; a message is with one of them at a time. */
export class MessageSender {
  readonly #deps: SenderDeps;
  readonly #accounts: Accounts;
  #inFlight = 0;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
    const io: MessengerIo = {
      call: (call) => deps.raw({ family: 'messages', ...call }, TIMEOUT_MS), now: () => deps.store.writer.clock().getTime(), uuid: () => uuidv7(),
      signed: ({ method, url, body, secret, messageId }) => deps.http({ method, url, secret, messageId, ...(body === undefined ? {} : { body }) }),
    };
    this.#accounts = new Accounts(deps.store, io);
  }

  /** Takes what is due as slots become free, until nothing is left that can go now. Returns how many were taken. */
  async round(): Promise<number> {
    const { store, logger, onHandled } = this.#deps;
    let taken = 0;
    const running = new Set<Promise<void>>();
    for (;;) {
      const now = store.writer.clock();
      const rows = await leaseMessages(store.pool, now, new Date(now.getTime() + LEASE_MS), SLOTS - this.#inFlight);
      taken += rows.length;
      for (const row of rows) {
        this.#inFlight++;
        const run = deliverMessage({ store, accounts: this.#accounts, logger }, row).then((outcome) => { onHandled?.(outcome); })
          // It keeps its lease and comes back when that ends.
          .catch((error: unknown) => { logger.error({ err: error, messageId: encodeId('msg', row.id) }, 'message left where it is'); })
          .finally(() => { this.#inFlight--; running.delete(run); });
        running.add(run);
      }
      if (running.size === 0) return taken;
      await (rows.length === 0 && this.#inFlight < SLOTS ? Promise.all(running) : Promise.race(running));
    }
  }

  /** Asks providers about messages that were sent, where they can tell. Returns how many have an end now. */
  async check(): Promise<number> {
    const { store, logger } = this.#deps;
    const rows = (await this.#accounts.rows()).flatMap((row) => { const account = this.#accounts.account(row); return account?.messenger.state ? [{ row, account }] : []; });
    if (rows.length === 0) return 0;
    const sent = await takeSent(store.writer, rows.map(({ row }) => row.code), SLOTS);
    let ended = 0;
    for (const message of sent) {
      const account = rows.find(({ row }) => row.code === message.messenger)?.account;
      const contact = await store.vault.readContact(store.pool, message.contactId);
      const to = contact && addressOf(contact, message.way);
      if (!account?.messenger.state || to === null) continue;
      try {
        const state = await account.messenger.state({ key: `${message.id}.${message.round}.${message.way}`, ref: message.ref, to, sentAt: message.sentAt.getTime() });
        if (state.state === 'under_way') continue;
        await settleDelivery(store.writer, message, state);
        ended++;
      } catch (error) {
        logger.warn({ err: error, messageId: encodeId('msg', message.id) }, 'fate of a message not known yet');
      }
    }
    return ended;
  }
}

/** Runs a sender once a second until closed; `close` waits for what is under way. */
export function startSender(deps: SenderDeps, everyMs = 1_000): { close(): Promise<void> } {
  const sender = new MessageSender(deps);
  let checkedAt = 0;
  const once = async (): Promise<void> => {
    await sender.round();
    if (Date.now() - checkedAt < CHECK_EVERY_MS) return;
    checkedAt = Date.now();
    await sender.check();
  };
  return { close: repeat(once, everyMs, (error) => { deps.logger.warn({ err: error }, 'messages wait'); }) };
}
