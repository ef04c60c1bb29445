import { listMessengers, type MessengerRow } from '../../db/messages/messengers.ts';
import type { Store } from '../../db/store.ts';
import type { Messenger, MessengerIo, MessengerKind } from '../../messengers/messenger.ts';
import { messengerKind } from '../../messengers/registry.ts';

const FRESH_MS = 2_000;

/** An account of this process: its connector, and when it may be called next. */
export class Account {
  readonly messenger: Messenger;
  readonly repeats: MessengerKind['repeats'];
  readonly updatedAt: number;
  readonly #gapMs: number;
  #next = 0;

  constructor(kind: MessengerKind, row: MessengerRow, io: MessengerIo) {
    this.messenger = kind.connect({ code: row.code, settings: row.settings, secrets: row.secrets }, io);
    this.repeats = kind.repeats;
    this.updatedAt = row.updatedAt.getTime();
    this.#gapMs = 1000 / row.perSecond;
  }

  /** When this call may be made: `now`, or a moment later; one that may be made now takes its place. Up to a second's worth may come at once. */
  freeAt(now: number): number {
    const at = Math.max(this.#next, now - 1000);
    if (at > now) return at;
    this.#next = at + this.#gapMs;
    return now;
  }

  pause(until: number): void { this.#next = Math.max(this.#next, until); }
}

/** The accounts with providers, read again after two seconds; a connector lives as long as its account is unchanged. */
export class Accounts {
  readonly #store: Pick<Store, 'pool' | 'vault'>;
  readonly #io: MessengerIo;
  readonly #known = new Map<string, Account>();
  #rows: Promise<MessengerRow[]> | null = null;
  #readAt = 0;

  constructor(store: Pick<Store, 'pool' | 'vault'>, io: MessengerIo) {
    this.#store = store;
    this.#io = io;
  }

  rows(): Promise<MessengerRow[]> {
    if (this.#rows && performance.now() - this.#readAt < FRESH_MS) return this.#rows;
    this.#readAt = performance.now();
    this.#rows = listMessengers(this.#store.pool, this.#store.vault);
    this.#rows.catch(() => { this.#rows = null; });
    return this.#rows;
  }

  /** Null: nobody speaks its kind (any more). */
  account(row: MessengerRow): Account | null {
    const known = this.#known.get(row.code);
    if (known?.updatedAt === row.updatedAt.getTime()) return known;
    const kind = messengerKind(row.kind);
    if (!kind) return null;
    const account = new Account(kind, row, this.#io);
    this.#known.set(row.code, account);
    return account;
  }
}
