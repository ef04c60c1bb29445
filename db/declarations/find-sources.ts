import { Problem } from '../../domain/problem.ts';
import { shelfConfidence, type ContractSource, type LineRequest } from '../../domain/stock/declaration.ts';
import type { Network } from '../network.ts';
import type { Tx } from '../tx.ts';
import type { DeclarationPolicy } from './policy.ts';

/** A level that a source names, the first to be taken first. `free` as read without a lock: the lock decides. */
export type SourceLevel = { id: number; skuId: number; locationId: number; lotId: number; supplyId: number; view: Omit<ContractSource, 'units'> };
/** A source of the request with its SKU, base units and levels. `field`: its JSON pointer. */
export type FoundSource = { skuId: number; sku: string; units: number; field: string; name: string; levels: SourceLevel[] };

type Row = SourceLevel & { location: string; lot: string | null; expires: string | null; reference: string | null; expectedAt: Date | null; counted: number | null; matched: number | null };
const MOST = 1_000_000_000;

/**
 * Checks lines and finds the levels of an allotment that each source names: a location's shelf (lots with enough life, first-expired-first) or a supply.
 * Throws Problem with the field at fault.
 */
export async function findSources(
  tx: Tx, network: Network, lines: readonly LineRequest[], from: { allotmentId: number; lastsUntil: string | null; latestFirst?: boolean }, policy: DeclarationPolicy,
): Promise<FoundSource[]> {
  const found: FoundSource[] = [];
  // From the table, not from the network's cache: that may be cleared at any moment, also between two lines.
  const known = new Map((await tx.query<{ id: number; code: string; active: boolean }>('select id, code, active from skus where code = any($1::text[])', [lines.map((l) => l.sku)])).map((s) => [s.code, s]));
  const seen = new Set<string>();
  for (const [i, line] of lines.entries()) {
    const sku = known.get(line.sku);
    if (!sku?.active) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known or not active`, `/lines/${i}/sku`);
    if (seen.has(line.sku)) throw new Problem('unprocessable', `SKU "${line.sku}" is given twice: put its sources into one line`, `/lines/${i}/sku`);
    seen.add(line.sku);
    const factor = await unitFactor(tx, sku.id, line, i);
    for (const [j, source] of line.sources.entries()) {
      const field = `/lines/${i}/sources/${j}`;
      if ((source.location === undefined) === (source.supply === undefined)) throw new Problem('unprocessable', 'name a location or a supply, one of them', field);
      const units = source.units * factor;
      if (!Number.isSafeInteger(units) || units > MOST) throw new Problem('unprocessable', `${source.units} × ${factor} units are too many`, `${field}/units`);
      const place = source.location === undefined ? await supplyId(tx, source.supply as string, field) : { locationId: locationId(network, source.location, field) };
      const rows = await levels(tx, sku.id, place, from);
      found.push({
        skuId: sku.id, sku: sku.code, units, field: `${field}/units`, name: source.location === undefined ? `supply "${source.supply ?? ''}"` : `location "${source.location}"`,
        levels: rows.map((r) => ({
          id: r.id, skuId: r.skuId, locationId: r.locationId, lotId: r.lotId, supplyId: r.supplyId,
          view: {
            location: r.location, supply: r.reference, lot: r.lot, lotExpiresOn: r.expires, expectedAt: r.expectedAt?.toISOString() ?? null, firm: r.supplyId === 0,
            confidence: r.supplyId === 0 ? shelfConfidence(r.counted === null ? null : { counted: r.counted, matched: r.matched ?? 0 }, policy.uncountedConfidence) : policy.supplyConfidence,
          },
        })),
      });
    }
  }
  return found;
}

function locationId(network: Network, code: string, field: string): number {
  const location = network.locations.get(code);
  if (!location) throw new Problem('unknown_location', `location "${code}" is not known`, `${field}/location`);
  if (!location.active) throw new Problem('unprocessable', `location "${code}" is not active`, `${field}/location`);
  return location.id;
}

async function supplyId(tx: Tx, reference: string, field: string): Promise<{ supplyId: number }> {
  const supply = await tx.one<{ id: number }>('select id from supplies where reference = $1 and id <> 0', [reference]);
  if (!supply) throw new Problem('unprocessable', `supply "${reference}" is not known`, `${field}/supply`);
  return { supplyId: supply.id };
}

/** Base units of the line's unit. */
async function unitFactor(tx: Tx, skuId: number, line: LineRequest, i: number): Promise<number> {
  if (line.unit === undefined) return 1;
  const row = await tx.one<{ factor: number }>(
    'select case when s.unit = $2 then 1 else u.factor end factor from skus s left join sku_units u on u.sku_id = s.id and u.unit = $2 where s.id = $1 and (s.unit = $2 or u.unit is not null)', [skuId, line.unit]);
  if (!row) throw new Problem('unprocessable', `SKU "${line.sku}" has no unit "${line.unit}"`, `/lines/${i}/unit`);
  return row.factor;
}

async function levels(tx: Tx, skuId: number, place: { locationId: number } | { supplyId: number }, from: { allotmentId: number; lastsUntil: string | null; latestFirst?: boolean }): Promise<Row[]> {
  const shelf = 'locationId' in place;
  const order = from.latestFirst ? 'lots.expires_on desc nulls first, v.id desc' : 'lots.expires_on nulls last, v.id';
  return tx.query<Row>(
    `select v.id, v.sku_id "skuId", v.location_id "locationId", v.lot_id "lotId", v.supply_id "supplyId", l.code location, nullif(lots.code, '') lot, lots.expires_on::text expires,
       nullif(s.reference, '') reference, s.expected_at "expectedAt", a.counted_lines counted, a.matched_lines matched
     from stock_levels v join locations l on l.id = v.location_id join lots on lots.id = v.lot_id join supplies s on s.id = v.supply_id left join location_accuracy a on a.location_id = v.location_id
     where v.sku_id = $1 and v.allotment_id = $2 and v.condition = 'sellable' and lots.recalled_at is null and ($4::date is null or lots.expires_on is null or lots.expires_on >= $4::date)
       and ${shelf ? 'v.location_id = $3 and v.supply_id = 0' : 'v.supply_id = $3'} order by ${order}`,
    [skuId, from.allotmentId, shelf ? place.locationId : place.supplyId, from.lastsUntil]);
}

/** Under the locks of the levels: the supplies must still be open, dated, due and in time for the end. */
export async function checkSupplies(tx: Tx, sources: readonly FoundSource[], endsAt: Date): Promise<void> {
  const ids = [...new Set(sources.flatMap((s) => s.levels.map((l) => l.supplyId)))].filter((id) => id !== 0);
  const rows = await tx.query<{ id: number; reference: string; status: string; expectedAt: Date | null }>(
    'select id, reference, status, expected_at "expectedAt" from supplies where id = any($1::int[]) order by id for share', [ids]);
  for (const { id, reference, status, expectedAt } of rows) {
    const field = sources.find((s) => s.levels.some((l) => l.supplyId === id))?.field.replace(/units$/, 'supply') ?? '/lines';
    if (status !== 'open') throw new Problem('conflict', `supply "${reference}" is ${status}`, field);
    if (expectedAt === null) throw new Problem('conflict', `supply "${reference}" has no date: nobody knows whether it comes in time`, field);
    if (expectedAt <= tx.now) throw new Problem('conflict', `supply "${reference}" was due at ${expectedAt.toISOString()} and has not come: give it a new date first`, field);
    if (expectedAt > endsAt) throw new Problem('conflict', `supply "${reference}" comes at ${expectedAt.toISOString()}, after the session's end`, field);
  }
}
