import { explodeBundles, type OrderedLine } from '../../domain/order/bundles.ts';
import { PricingError } from '../../domain/order/pricing.ts';
import { Problem } from '../../domain/problem.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import { takeLocked, withinShares } from '../capture/decide.ts';
import { componentsOf } from '../capture/prepare.ts';
import { sourcesOf, type Demand } from '../capture/sources.ts';
import { Taken } from '../capture/taken.ts';
import { lockLevels } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import type { StockWriter } from '../stock-writer.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { Tx } from '../tx.ts';
import { chooseLevels, type Choice, type Part } from './choose.ts';
import { readLease, type LeaseMode, type LeaseView } from './lease.ts';

export type LeaseRequest = {
  reference: string; owner: string; channel: string; expiresInS: number; mode: LeaseMode;
  destination?: { country: string; province: string; city: string }; lines: { sku: string; quantity: number }[];
};
type Deps = { network: Network; projection: StockProjection };

const ROUNDS = 3;

/**
 * Reserves units for somebody who has no order yet, from what is there for the channel's orders. Idempotent by owner and reference. Lines with one SKU are
 * counted together, bundles are reserved by component. Throws Problem `insufficient_stock` with `missing` where nothing (mode `all`: not everything) can be
 * reserved; then nothing has changed.
 */
export async function takeLease(writer: StockWriter, { network, projection }: Deps, request: LeaseRequest, actor: string): Promise<{ lease: LeaseView; repeated: boolean }> {
  await network.loadSkus(request.lines.map((l) => l.sku));
  return writer.change(async (tx) => {
    const source = `lease:${request.owner}`;
    const known = await claimReference<LeaseView>(tx, source, request.reference, request);
    if (known) return { lease: known, repeated: true };
    const channel = network.channels.get(request.channel);
    if (!channel?.active) throw new Problem('unknown_channel', `channel "${request.channel}" is not known or not active; GET /v1/channels lists them`, '/channel');
    const parts = partsOf(network, request.lines);
    const { country, province, city } = request.destination ?? { country: '', province: '', city: '' };
    const demand = {
      // Of what is there: units that are still to come may change their date, and a lease has nobody who would be told.
      channel: { ...channel, supplyHorizonS: 0 }, allotmentId: network.allotmentOf(channel.id), destination: network.place(country, province, city), capturedAt: tx.now, scheduledFrom: null,
    };
    const { picks, missing } = await reserve(tx, demand, request.mode, parts, { network, projection });
    if (picks.length === 0) throw lacking(request.mode, missing);
    const id = uuidv7();
    const expiresAt = new Date(tx.now.getTime() + request.expiresInS * 1000);
    await tx.query(`insert into leases (id, owner, reference, channel_id, mode, expires_at, created_at, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, request.owner, request.reference, channel.id, request.mode, expiresAt, tx.now, actor]);
    await tx.query(
      `insert into lease_lines (lease_id, line_no, sku_id, quantity, bundle_sku, bundle_line) select $1, * from unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::int[])`,
      [id, parts.map((p) => p.lineNo), parts.map((p) => p.skuId), parts.map((p) => p.quantity), parts.map((p) => p.bundle?.sku ?? null), parts.map((p) => p.bundle?.line ?? null)]);
    await tx.post('lease', id, picks.map((p) => ({ levelId: p.levelId, onHand: 0, reserved: p.quantity })), id);
    await tx.query(
      `insert into reservations (order_id, line_no, seq, level_id, quantity, status, expires_at) select $1, n, i - 1, v, q, 'held', $2 from unnest($3::int[], $4::bigint[], $5::int[]) with ordinality as t(n, v, q, i)`,
      [id, expiresAt, picks.map((p) => p.lineNo), picks.map((p) => p.levelId), picks.map((p) => p.quantity)]);
    const lease = await readLease(tx.client, id);
    await storeAnswer(tx, source, request.reference, lease);
    return { lease, repeated: false };
  });
}

/** The SKUs that are stock; unknown and inactive ones are refused with the line at fault. */
function partsOf(network: Network, lines: LeaseRequest['lines']): Part[] {
  const ordered = lines.map((l, i): OrderedLine => {
    const priced = { lineNo: i + 1, quantity: l.quantity, unitPrice: 0, listAmount: 0, discounts: [], discountAmount: 0, freightShare: 0, netAmount: 0 };
    return { sku: l.sku, gift: false, priced };
  });
  try {
    return explodeBundles(ordered, (code) => componentsOf(network, code)).map(({ sku: code, priced: { lineNo, quantity }, bundle }) => {
      const asked = bundle?.line ?? lineNo;
      const sku = network.knownSku(code);
      if (!sku?.active) throw new Problem('unknown_sku', `SKU "${code}" is not known or not active`, `/lines/${asked - 1}/sku`);
      return { lineNo, asked, skuId: sku.id, skuCode: code, perUnit: bundle ? quantity / (lines[asked - 1]?.quantity ?? 1) : 1, quantity, bundle };
    });
  } catch (error) {
    if (error instanceof PricingError) throw new Problem('unprocessable', error.message, error.field);
    throw error;
  }
}

/** Chooses on the projection, checks under the locks of what was chosen; in the last round under the locks of all there is, so that the word is true. */
async function reserve(tx: Tx, demand: Omit<Demand, 'lines'>, mode: LeaseMode, parts: readonly Part[], { network, projection }: Deps): Promise<Choice> {
  const skuIds = [...new Set(parts.map((p) => p.skuId))];
  for (let round = 1; round < ROUNDS; round++) {
    let choice = chooseLevels(demand, mode, parts, network, projection);
    if (choice.missing.length > 0) {
      // The projection may lag: nobody goes short on its word alone.
      await projection.rereadSkus(tx.client, skuIds);
      choice = chooseLevels(demand, mode, parts, network, projection);
      if (choice.picks.length === 0) return choice;
    }
    const locked = await lockLevels(tx.client, choice.picks.map((p) => p.levelId));
    for (const level of locked.values()) projection.committed(level);
    if (withinShares(demand, choice.picks, network, projection, new Taken()) && takeLocked(choice.picks, locked)) return choice;
  }
  await projection.rereadSkus(tx.client, skuIds);
  const pools = sourcesOf({ ...demand, lines: [] }, network, projection).at(-1) ?? [];
  const ids = pools.flatMap(({ pool }) => skuIds.flatMap((skuId) => [...pool.locationsOf(skuId).keys()].flatMap((at) => pool.levelsOf(skuId, at).map((l) => l.id))));
  const locked = await lockLevels(tx.client, ids);
  for (const level of locked.values()) projection.committed(level);
  const choice = chooseLevels(demand, mode, parts, network, projection);
  if (!takeLocked(choice.picks, locked)) throw new Problem('unavailable', 'the stock of these SKUs changes just now: send it again', null, { retryAfter: 1 });
  return choice;
}

function lacking(mode: LeaseMode, missing: Choice['missing']): Problem {
  const first = missing[0];
  const what = first ? `SKU "${first.sku}" lacks ${first.quantity}` : 'nothing of it is in stock';
  return new Problem('insufficient_stock', `${what}; ${mode === 'all' ? 'this reservation takes everything or nothing' : 'nothing could be reserved'}`, first ? `/lines/${first.line - 1}/quantity` : '/lines', { missing });
}
