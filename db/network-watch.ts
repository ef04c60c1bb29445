import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { typeParsers } from './types.ts';

const RECOVER_MS = 500;
const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Hears of changes of the network's tables. A lost connection is opened again, and then everything is to be read anew, for what was said meanwhile nobody heard. */
export class NetworkWatch {
  readonly #url: string;
  readonly #read: (table: string | null) => Promise<void>;
  #listener: pg.Client | null = null;
  #closed = false;
  #recovering = false;

  /** `read`: reads what has changed, of one table or (null) of all. */
  constructor(url: string, read: (table: string | null) => Promise<void>) {
    this.#url = url;
    this.#read = read;
  }

  async listen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, types: typeParsers, application_name: 'tributary network' });
    client.on('error', (error) => process.emitWarning(`network listener lost: ${error.message}`));
    client.on('end', () => {
      if (this.#listener !== client) return; // never came to listen: whoever opened it knows
      this.#listener = null;
      this.#recover();
    });
    client.on('notification', ({ payload }) => {
      this.#read(payload ?? '').catch((error: unknown) => {
        process.emitWarning(`network not re-read: ${text(error)}`);
        this.#recover();
      });
    });
    await client.connect();
    await client.query('listen network');
    if (this.#closed) return client.end();
    this.#listener = client;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#listener?.end();
  }

  /** Twice a second, until there is a listener again and everything has been read since; one loop at a time. */
  #recover(): void {
    if (this.#recovering) return;
    this.#recovering = true;
    void (async () => {
      while (!this.#closed) {
        await delay(RECOVER_MS, undefined, { ref: false });
        try {
          if (!this.#listener && !this.#closed) await this.listen();
          await this.#read(null);
          if (this.#listener) break;
        } catch (error) {
          if (!this.#closed) process.emitWarning(`network not re-read: ${text(error)}`);
        }
      }
      this.#recovering = false;
    })();
  }
}
