type Cell = string | number | boolean | Date | Buffer | null;
/** `raw`: numbers, booleans, uuids, base64 and dates, which need no quotes in an array literal; `text`: anything; `bytes`: Buffers. */
type Kind = 'raw' | 'text' | 'bytes';

/**
 * Columns of rows for `unnest`, as PostgreSQL array literals (manual, 8.15.2). The driver's own conversion looks at the type of every value
 * and quotes them all, which costs the capture path more than its SQL round trip.
 */
export class ColumnLiterals {
  readonly #kinds: readonly Kind[];
  readonly #columns: string[];
  #rows = 0;

  constructor(...kinds: readonly Kind[]) {
    this.#kinds = kinds;
    this.#columns = kinds.map(() => '{');
  }

  push(...row: readonly Cell[]): void {
    const comma = this.#rows++ === 0 ? '' : ',';
    for (let i = 0; i < this.#kinds.length; i++) this.#columns[i] += comma + literal(this.#kinds[i] as Kind, row[i] ?? null);
  }

  /** One literal a column, in the order of the constructor. */
  values(): string[] { return this.#columns.map((c) => `${c}}`); }
}

function literal(kind: Kind, value: Cell): string {
  if (value === null) return 'NULL';
  if (kind === 'bytes') return `"\\\\x${(value as Buffer).toString('hex')}"`;
  if (kind === 'raw') return value instanceof Date ? value.toISOString() : String(value);
  const text = value as string;
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
