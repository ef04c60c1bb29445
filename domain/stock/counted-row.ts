export type Condition = 'sellable' | 'damaged' | 'quarantine' | 'display';
/** A counted line as it was sent; `unit` and `lot` null where none was named. `quantity` in `unit`, else in base units. */
export type CountedRow = { line: number; sku: string; condition: Condition; quantity: number; unit: string | null; lot: string | null };
/** A line that cannot be used, numbered as in the upload, and why. */
export type BadLine = { line: number; reason: string };

const CONDITIONS: ReadonlySet<string> = new Set(['sellable', 'damaged', 'quarantine', 'display']);
const CODE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
// NUL and halves of surrogate pairs, which PostgreSQL cannot hold.
const UNTEXT = /[\u0000\ud800-\udfff]/u;
const MOST = 1_000_000_000;

type Fields = { sku?: unknown; condition?: unknown; quantity?: unknown; unit?: unknown; lot?: unknown };

/** A row that can be stored, or why it cannot. Quantities are whole and not negative. */
export function toRow(line: number, { sku, condition = 'sellable', quantity, unit = null, lot = null }: Fields): CountedRow | BadLine {
  const wrong = (reason: string): BadLine => ({ line, reason });
  if (typeof sku !== 'string' || !CODE.test(sku)) return wrong('sku must be a code of letters, digits and . _ : -');
  if (typeof condition !== 'string' || !CONDITIONS.has(condition)) return wrong(`condition must be one of ${[...CONDITIONS].join(', ')}`);
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 0 || quantity > MOST) return wrong(`quantity must be a whole number from 0 to ${MOST}`);
  for (const [name, value] of [['unit', unit], ['lot', lot]] as const) {
    if (value !== null && (typeof value !== 'string' || value === '' || value.length > 64 || UNTEXT.test(value))) return wrong(`${name} must be a text of 1 to 64 characters`);
  }
  return { line, sku, condition: condition as Condition, quantity, unit: unit as string | null, lot: lot as string | null };
}
