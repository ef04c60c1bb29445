import { Problem } from '../../domain/problem.ts';
import { bodyHash } from '../capture/prepare.ts';
import { ensureLevels } from '../ledger.ts';
import type { Network, Sku } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';

export type StockLine = { sku: string; condition?: 'sellable' | 'damaged' | 'quarantine' | 'display'; lot?: { code: string; expiresOn?: string } };
export type Receipt = { reference: string; location: string; lines: (StockLine & { quantity: number })[] };
export type ReceiptAnswer = { reference: string; lines: number; units: number };

/** Claims a reference for one body: null when it is new, the stored answer when it was used for the same, `duplicate_with_other_body` otherwise. */
export async function claimReference<T>(tx: Tx, source: string, reference: string, body: unknown): Promise<T | null> {
  const hash = bodyHash(body);
  const fresh = await tx.query(`insert into partner_events (source, event_id, body_hash, status, response) values ($1, $2, $3, 0, '{}') on conflict do nothing returning 1`, [source, reference, hash]);
  if (fresh.length > 0) return null;
  const row = await tx.one<{ body_hash: Buffer; response: T }>('select body_hash, response from partner_events where source = $1 and event_id = $2', [source, reference]);
  if (!row?.body_hash.equals(hash)) throw new Problem('duplicate_with_other_body', `reference "${reference}" was used before with another body`, '/reference');
  return row.response;
}

export async function storeAnswer(tx: Tx, source: string, reference: string, answer: unknown): Promise<void> {
  await tx.query('update partner_events set status = 200, response = $3 where source = $1 and event_id = $2', [source, reference, JSON.stringify(answer)]);
}

/** A lot of a SKU, made where missing. Throws `conflict` where it is known with another expiry. */
export async function lotOf(tx: Tx, sku: Sku, named: NonNullable<StockLine['lot']>, field: string): Promise<number> {
  const { code, expiresOn = null } = named;
  const lot = await tx.one<{ id: number; expires: string | null }>(
    `insert into lots (sku_id, code, expires_on) values ($1, $2, $3)
     on conflict (sku_id, code) do update set expires_on = coalesce(lots.expires_on, excluded.expires_on) returning id, expires_on::text expires`, [sku.id, code, expiresOn]);
  if (!lot) throw new Error('an upsert returns its row');
  if (expiresOn !== null && lot.expires !== expiresOn) throw new Problem('conflict', `lot "${code}" of SKU "${sku.code}" expires on ${lot.expires ?? 'no day'}, not on ${expiresOn}`, `${field}/expiresOn`);
  return lot.id;
}

/** The holders of stock lines, made where missing; throws with the line at fault. */
export async function levelsOf(tx: Tx, network: Network, locationId: number, lines: readonly StockLine[]): Promise<number[]> {
  const keys: { locationId: number; skuId: number; condition: string; lotId: number }[] = [];
  for (const [i, line] of lines.entries()) {
    const sku = network.knownSku(line.sku);
    if (!sku) throw new Problem('unknown_sku', `SKU "${line.sku}" is not known`, `/lines/${i}/sku`);
    if (sku.lotTracked !== (line.lot !== undefined)) {
      throw new Problem('unprocessable', sku.lotTracked ? `SKU "${line.sku}" is tracked by lot: say which` : `SKU "${line.sku}" is not tracked by lot: leave it out`, `/lines/${i}/lot`);
    }
    keys.push({ locationId, skuId: sku.id, condition: line.condition ?? 'sellable', lotId: line.lot ? await lotOf(tx, sku, line.lot, `/lines/${i}/lot`) : 0 });
  }
  return ensureLevels(tx.client, keys);
}

/** Books goods in. One reference is one receipt; orders that wait for the SKUs are woken. */
export async function receiveStock(writer: StockWriter, network: Network, locationId: number, receipt: Receipt): Promise<ReceiptAnswer> {
  await network.loadSkus(receipt.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const source = `receipt:${receipt.location}`;
    const known = await claimReference<ReceiptAnswer>(tx, source, receipt.reference, receipt);
    if (known) return known;
    const levels = await levelsOf(tx, network, locationId, receipt.lines);
    await tx.post('receipt', null, receipt.lines.map((l, i) => ({ levelId: levels[i] as number, onHand: l.quantity, reserved: 0 })));
    const answer = { reference: receipt.reference, lines: receipt.lines.length, units: receipt.lines.reduce((sum, l) => sum + l.quantity, 0) };
    await storeAnswer(tx, source, receipt.reference, answer);
    return answer;
  });
}
