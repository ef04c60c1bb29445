import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const NEWLINE = 0x0a;

/**
 * An append-only NDJSON file. Records that arrive together are written together. Written means handed to the operating system:
 * it survives the death of the process, not of the machine (a simulator needs no fsync).
 */
export class Journal {
  readonly #file: FileHandle | undefined;
  #waitingText = '';
  #waiters: (() => void)[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(file: FileHandle | undefined) {
    this.#file = file;
  }

  /**
   * Reads what is there (each record goes to `replay`, in order), then opens for appending. A torn last line, as a killed
   * process leaves it, is cut off. Without a path nothing is kept.
   * @throws {Error} when a line before the last is not JSON: that is no torn write.
   */
  static async open(path: string | undefined, replay: (record: unknown) => void): Promise<Journal> {
    if (path === undefined) return new Journal(undefined);
    if (existsSync(path)) readInto(path, replay);
    return new Journal(await open(path, 'a'));
  }

  /** Adds a record; `after` tells when it is written. */
  append(record: unknown): void {
    if (this.#file === undefined) return;
    this.#waitingText += `${JSON.stringify(record)}\n`;
    this.#writing ??= this.#write(this.#file);
  }

  /** Runs `action` once everything appended so far is written: at once when nothing is waiting. */
  after(action: () => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#writing === undefined) action();
    else this.#waiters.push(action);
  }

  /** Resolves when everything appended so far is written. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.after(resolve));
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#file?.close();
  }

  async #write(file: FileHandle): Promise<void> {
    // One turn of the event loop gathers whatever else happens now into the same write.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#waitingText !== '' || this.#waiters.length > 0) {
        const text = this.#waitingText;
        const waiters = this.#waiters;
        this.#waitingText = '';
        this.#waiters = [];
        if (text !== '') await file.appendFile(text);
        for (const waiter of waiters) waiter();
      }
    } catch (error) {
      // A simulator that cannot keep its state must not pretend to: the rejection below ends the process.
      this.#failure = error as Error;
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }
}

function readInto(path: string, replay: (record: unknown) => void): void {
  const bytes = readFileSync(path);
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const end = bytes.indexOf(NEWLINE, start);
    const record = end < 0 ? undefined : parseLine(bytes.toString('utf8', start, end));
    if (record === undefined) {
      const isLast = end < 0 || end === bytes.length - 1;
      if (!isLast) throw new Error(`${path}: line ${line} is not JSON`);
      truncateSync(path, start);
      return;
    }
    replay(record.value);
    start = end + 1;
  }
}

function parseLine(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined; // the caller decides whether a bad line is a torn one
  }
}
