/** At most so many at once, in the order of asking. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next(); // the turn goes on to it
      else this.#free += 1;
    }
  }
}
