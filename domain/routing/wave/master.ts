import type { Column } from './columns.ts';
import type { Group } from './groups.ts';
import type { WaveInstance } from './model.ts';

/** A resource that all orders share, with what there is of it: stock by `location|sku`, or a location's capacity. */
export type Resource = { name: string; kind: 'stock' | 'capacity'; key: string; available: number };

/** The resources that the orders could want more of than there is; the others bind nobody. */
export function scarce(wave: WaveInstance): Resource[] {
  const wanted = new Map<string, number>();
  for (const { order } of wave.orders) for (const l of order.lines) wanted.set(l.sku, (wanted.get(l.sku) ?? 0) + l.quantity);
  const found: Resource[] = [];
  for (const location of wave.locations) {
    let most = 0;
    for (const [sku, s] of Object.entries(location.stock)) {
      const demand = wanted.get(sku) ?? 0;
      most += Math.min(demand, s.available);
      if (demand > s.available && s.available > 0) found.push({ name: `r${found.length}`, kind: 'stock', key: `${location.code}|${sku}`, available: s.available });
    }
    if (location.capacityUnits !== undefined && most > location.capacityUnits) found.push({ name: `r${found.length}`, kind: 'capacity', key: location.code, available: location.capacityUnits });
  }
  return found;
}

/** Units that a column takes of a resource. */
export function taken(column: Column, resource: Resource): number {
  if (resource.kind === 'stock') return column.uses.get(resource.key) ?? 0;
  let units = 0;
  for (const s of column.plan.shipments) if (s.location === resource.key) for (const l of s.lines) units += l.quantity;
  return units;
}

/** Terms of a row, a few to a line: readers of the format limit a line's length. */
function terms(parts: readonly string[]): string {
  const lines: string[] = [];
  for (let i = 0; i < parts.length; i += 12) lines.push(parts.slice(i, i + 12).join(' '));
  return lines.join('\n  ');
}
const number = (n: number): string => (Number.isInteger(n) ? String(n) : n.toFixed(3));
const signed = (n: number, name: string): string => `${n < 0 ? '-' : '+'} ${number(Math.abs(n))} ${name}`;

/**
 * The choice of columns as a program in LP format: every order in exactly one chosen column (`o<n>`), no resource (`r<n>`) used up beyond what there is. `integer`: columns are taken whole or not at all.
 */
export function toProgram(columns: readonly Column[], groups: readonly Group[], orders: number, resources: readonly Resource[], integer: boolean): string {
  const rows: string[][] = Array.from({ length: orders }, () => []);
  const uses = new Map<string, string[]>(resources.map((r) => [r.name, []]));
  const byStock = new Map(resources.filter((r) => r.kind === 'stock').map((r) => [r.key, r.name]));
  const byPlace = new Map(resources.filter((r) => r.kind === 'capacity').map((r) => [r.key, r]));
  columns.forEach((c, j) => {
    for (const member of (groups[c.group] as Group).members) rows[member]?.push(`+ x${j}`);
    for (const [key, units] of c.uses) { const name = byStock.get(key); if (name !== undefined) uses.get(name)?.push(`+ ${units} x${j}`); }
    for (const place of new Set(c.plan.shipments.map((s) => s.location))) { const r = byPlace.get(place); if (r) uses.get(r.name)?.push(`+ ${taken(c, r)} x${j}`); }
  });
  return [
    'Minimize', ` cost: ${terms(columns.map((c, j) => signed(c.cost, `x${j}`)))}`, 'Subject To', ...rows.map((row, i) => ` o${i}: ${terms(row)} = 1`),
    ...resources.flatMap((r) => { const row = uses.get(r.name) ?? []; return row.length > 0 ? [` ${r.name}: ${terms(row)} <= ${r.available}`] : []; }),
    ...(integer ? ['Binary', ` ${terms(columns.map((_, j) => `x${j}`))}`] : []), 'End', '',
  ].join('\n');
}
