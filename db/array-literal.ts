type Cell = string | number | boolean | Date | Buffer | null;

/** Columns of a bulk insert: name and SQL type, in order. */
export type BulkColumns = readonly (readonly [name: string, type: string])[];

/** Types whose values need no quotes in an array literal. */
const PLAIN = new Set(['uuid', 'smallint', 'int', 'bigint', 'bool', 'timestamptz']);

/**
 * Rows for `unnest`, as one PostgreSQL array literal a column (manual, 8.15.2). The driver's own conversion looks at the type of every value
 * and quotes them all, which costs the capture path more than its SQL round trip.
 */
export class BulkRows {
  readonly #columns: BulkColumns;
  readonly #literals: string[];
  #rows = 0;

  constructor(columns: BulkColumns) {
    this.#columns = columns;
    this.#literals = columns.map(() => '{');
  }

  /** One cell a column, in their order. */
  push(...row: readonly Cell[]): void {
    const comma = this.#rows++ === 0 ? '' : ',';
    for (let i = 0; i < this.#columns.length; i++) this.#literals[i] += comma + literal((this.#columns[i] as BulkColumns[number])[1], row[i] ?? null);
  }

  values(): string[] { return this.#literals.map((l) => `${l}}`); }
}

/** `unnest($first::type[], …) as t(name, …)` for rows of these columns. */
export function unnest(columns: BulkColumns, first: number): string {
  return `unnest(${columns.map(([, type], i) => `$${first + i}::${type}[]`).join(', ')}) as t(${names(columns)})`;
}

export function names(columns: BulkColumns): string { return columns.map(([name]) => name).join(', '); }

function literal(type: string, value: Cell): string {
  if (value === null) return 'NULL';
  if (PLAIN.has(type)) return value instanceof Date ? value.toISOString() : String(value);
  if (type === 'bytea') return `"\\\\x${(value as Buffer).toString('hex')}"`;
  const text = value as string;
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
