import { Problem } from '../../../domain/problem.ts';
import { ensureLevels, lockLevels, type Leg } from '../../ledger.ts';
import type { Network, Sku } from '../../network.ts';
import type { StockWriter } from '../../stock-writer.ts';
import type { Tx } from '../../tx.ts';
import { claimReference, lotOf, storeAnswer, type StockLine } from '../receipts.ts';
import type { SupplyKind } from './supply.ts';

export type SupplyRequest = {
  reference: string; kind: SupplyKind; location: string; from?: string; expectedAt: string; note?: string; lines: (StockLine & { quantity: number })[];
};
export type SupplyAnswer = { reference: string; status: 'open'; units: number };

/**
 * Announces units that will come: from its commit on they can be promised by channels whose horizon reaches that far, and orders of theirs that wait for the SKUs get them
 * first. A transfer takes its units off the sending location's shared stock, first expired first. Idempotent by reference. Throws Problem.
 */
export async function announceSupply(writer: StockWriter, network: Network, request: SupplyRequest, actor: string): Promise<SupplyAnswer> {
  await network.loadSkus(request.lines.map((l) => l.sku));
  return writer.change((tx) => announceIn(tx, network, request, actor));
}

/** The same in the caller's transaction; the network must know the SKUs (`loadSkus`). */
export async function announceIn(tx: Tx, network: Network, request: SupplyRequest, actor: string): Promise<SupplyAnswer> {
  const known = await claimReference<SupplyAnswer>(tx, 'supply', request.reference, request);
  if (known) return known;
  const expectedAt = new Date(request.expectedAt);
  if (!(expectedAt > tx.now)) throw new Problem('unprocessable', 'what was due in the past cannot be announced: book it in, or give it a date to come', '/expectedAt');
  const location = network.locations.get(request.location);
  if (!location) throw new Problem('unknown_location', `location "${request.location}" is not known`, '/location');
  const source = sourceOf(network, request);
  const lines = request.lines.map((line, i) => ({ ...line, known: skuOf(network, line, i, request.kind) }));
  const lotIds: number[] = [];
  for (const [i, line] of lines.entries()) lotIds.push(line.lot ? await lotOf(tx, line.known, line.lot, `/lines/${i}/lot`) : 0);

  // Levels before supplies: the row is new, so nobody waits for it.
  const row = await tx.one<{ id: number }>(
    `insert into supplies (kind, reference, expected_at, location_id, source_location_id, note, announced_by) values ($1, $2, $3, $4, $5, $6, $7) on conflict (reference) do nothing returning id`,
    [request.kind, request.reference, expectedAt, location.id, source?.id ?? null, request.note ?? null, actor]);
  if (!row) throw new Problem('conflict', `supply "${request.reference}" exists already`, '/reference');
  await tx.query(
    'insert into supply_lines (supply_id, line_no, sku_id, condition, lot_id, quantity) select $1, * from unnest($2::int[], $3::int[], $4::text[], $5::int[], $6::int[])',
    [row.id, lines.map((_, i) => i + 1), lines.map((l) => l.known.id), lines.map((l) => l.condition ?? 'sellable'), lotIds, lines.map((l) => l.quantity)]);
  const parts = source ? await takeFromSource(tx, source.id, lines) : lines.map((l, i) => ({ skuId: l.known.id, condition: l.condition ?? 'sellable', lotId: lotIds[i] as number, units: l.quantity, fromLevelId: null }));
  const levels = await ensureLevels(tx.client, parts.map((p) => ({ locationId: location.id, skuId: p.skuId, condition: p.condition, lotId: p.lotId, supplyId: row.id })));
  await tx.post(source ? 'transfer_sent' : 'supply_announced', null, parts.flatMap((p, i): Leg[] => [
    { levelId: levels[i] as number, onHand: p.units, reserved: 0 }, ...(p.fromLevelId === null ? [] : [{ levelId: p.fromLevelId, onHand: -p.units, reserved: 0 }]),
  ]));
  const answer: SupplyAnswer = { reference: request.reference, status: 'open', units: lines.reduce((sum, l) => sum + l.quantity, 0) };
  await storeAnswer(tx, 'supply', request.reference, answer);
  return answer;
}

function sourceOf(network: Network, request: SupplyRequest): { id: number; code: string } | null {
  if (request.kind !== 'transfer') {
    if (request.from !== undefined) throw new Problem('unprocessable', `a ${request.kind} comes from outside: only a transfer has a sending location`, '/from');
    return null;
  }
  if (request.from === undefined) throw new Problem('unprocessable', 'say which location sends the transfer', '/from');
  const source = network.locations.get(request.from);
  if (!source) throw new Problem('unknown_location', `location "${request.from}" is not known`, '/from');
  if (request.from === request.location) throw new Problem('unprocessable', 'a location cannot send itself a transfer', '/from');
  return source;
}

function skuOf(network: Network, line: SupplyRequest['lines'][number], i: number, kind: SupplyKind): Sku {
  const sku = network.knownSku(line.sku);
  if (!sku?.active) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known or not active`, `/lines/${i}/sku`);
  if (line.lot && !sku.lotTracked) throw new Problem('unprocessable', `SKU "${line.sku}" is not tracked by lot: leave it out`, `/lines/${i}/lot`);
  if (line.lot && kind === 'transfer') throw new Problem('unprocessable', 'a transfer takes the lots that expire first: leave it out', `/lines/${i}/lot`);
  if (kind === 'transfer' && (line.condition ?? 'sellable') !== 'sellable') throw new Problem('unprocessable', 'a transfer takes sellable units', `/lines/${i}/condition`);
  return sku;
}

type Part = { skuId: number; condition: string; lotId: number; units: number; fromLevelId: number };

/** Free units of a sender's shared stock, its levels locked; buffers stay. Two lines with one SKU are counted together. */
export async function takeFromSource(tx: Tx, locationId: number, lines: readonly { known: Pick<Sku, 'id'>; sku: string; quantity: number }[]): Promise<Part[]> {
  const rows = await tx.query<{ id: number; skuId: number; lotId: number }>(
    `select v.id, v.sku_id "skuId", v.lot_id "lotId" from stock_levels v join lots on lots.id = v.lot_id
     where v.location_id = $1 and v.sku_id = any($2::int[]) and v.condition = 'sellable' and v.allotment_id = 0 and v.supply_id = 0 and lots.recalled_at is null
       and (lots.expires_on is null or lots.expires_on >= $3::date) order by lots.expires_on nulls last, v.id`,
    [locationId, lines.map((l) => l.known.id), tx.now.toISOString().slice(0, 10)]);
  const locked = await lockLevels(tx.client, rows.map((r) => r.id));
  const free = new Map([...locked.values()].map((l) => [l.id, Math.max(0, l.onHand - l.reserved - l.buffer)]));
  return lines.flatMap((line, i) => {
    let rest = line.quantity;
    const parts: Part[] = [];
    for (const { id, skuId, lotId } of rows) {
      const units = skuId === line.known.id ? Math.min(rest, free.get(id) ?? 0) : 0;
      if (units <= 0) continue;
      free.set(id, (free.get(id) ?? 0) - units);
      rest -= units;
      parts.push({ skuId, condition: 'sellable', lotId, units, fromLevelId: id });
    }
    if (rest > 0) throw new Problem('insufficient_stock', `${line.quantity - rest} units of SKU "${line.sku}" are free at the sending location`, `/lines/${i}/quantity`);
    return parts;
  });
}
