/** The part of a terminal we use. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface StatusFacts {
  readonly docsUrl: string;
  /** Undefined where Temporal runs elsewhere. */
  readonly uiUrl?: string;
  readonly apiKey: string;
}

/** Orders by state, or why they are not known. */
export type OrderCounts = { readonly counts: Readonly<Record<string, number>> } | { readonly unknown: string };

function ordersLine(orders: OrderCounts): string {
  if ('unknown' in orders) return `Orders: ${orders.unknown}`;
  const states = Object.entries(orders.counts).filter(([, n]) => n > 0);
  return `Orders: ${states.length === 0 ? 'none yet' : states.map(([state, n]) => `${state} ${n}`).join(', ')}`;
}

/**
 * A short list that stays true: redrawn in place on a terminal, below the messages; elsewhere a line is printed when it
 * changes.
 */
export class StatusDisplay {
  readonly #screen: Screen;
  #lines: readonly string[] = [];
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** A line that stays, above the list. */
  message(text: string): void {
    this.#erase();
    this.#screen.write(`${text}\n`);
    this.#draw();
  }

  show(facts: StatusFacts, orders: OrderCounts): void {
    this.#replace([
      `API docs: ${facts.docsUrl}`,
      ...(facts.uiUrl === undefined ? [] : [`Temporal UI: ${facts.uiUrl}`]),
      `API key: ${facts.apiKey}`,
      ordersLine(orders),
    ]);
  }

  /** Takes the list away: what it says is about to be wrong. */
  clear(): void {
    this.#erase();
    this.#lines = [];
  }

  #replace(lines: readonly string[]): void {
    if (lines.join('\n') === this.#lines.join('\n')) return;
    if (this.#screen.isTTY === true) {
      this.#erase();
      this.#lines = lines;
      this.#draw();
      return;
    }
    const old = new Set(this.#lines);
    this.#lines = lines;
    for (const line of lines) if (!old.has(line)) this.#screen.write(`${line}\n`);
  }

  #draw(): void {
    if (this.#screen.isTTY !== true || this.#lines.length === 0) return;
    this.#screen.write(`${this.#lines.join('\n')}\n`);
    // A long line wraps; moving up counts rows of the terminal.
    const columns = this.#screen.columns || 80; // 0: a terminal that does not know its size
    this.#drawn = this.#lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / columns)), 0);
  }

  #erase(): void {
    if (this.#drawn > 0) this.#screen.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }
}
