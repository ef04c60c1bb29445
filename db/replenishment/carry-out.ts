import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import { createIn } from '../purchases/create.ts';
import type { StockWriter } from '../stock-writer.ts';
import { createTransfer } from '../transfers/create.ts';
import { decodeId } from '../../domain/ids.ts';

type Planned = { id: string; scope: string; kind: 'transfer' | 'purchase'; from: number | null; vendor: string | null; to: number; days: number; approve: boolean; lines: { sku: string; skuId: number; quantity: number }[] };
const ACTOR = 'system:replenishment';

/**
 * Makes a transfer or purchase order of every planned order of a scope. Each once, whoever else is at it and wherever it was killed: its reference (or row) is the planned order's. What
 * cannot be made has failed with its reason and is looked at by the next plan. Returns how many were made and how many failed.
 */
export async function carryOut(writer: StockWriter, network: Network, scope: string): Promise<{ made: number; failed: number }> {
  const done = { made: 0, failed: 0 };
  for (;;) {
    const order = await next(writer.pool, scope);
    if (!order) return done;
    try {
      await (order.kind === 'transfer' ? transfer(writer, network, order) : purchase(writer, network, order));
      done.made++;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await failed(writer, order, error);
      done.failed++;
    }
  }
}

async function next(pool: pg.Pool, scope: string): Promise<Planned | null> {
  const { rows: [row] } = await pool.query<Planned>(
    `select o.id, o.scope, o.kind, o.from_location_id "from", o.vendor, o.to_location_id "to", o.days, o.approve,
       (select jsonb_agg(jsonb_build_object('sku', k.code, 'skuId', k.id, 'quantity', n.units) order by k.code) from replenishment_order_lines n join skus k on k.id = n.sku_id where n.order_id = o.id) lines
     from replenishment_orders o where o.scope = $1 and o.status = 'planned' order by o.id limit 1`, [scope]);
  return row ?? null;
}

const reference = (id: string): string => encodeId('rpl', id);

async function transfer(writer: StockWriter, network: Network, o: Planned): Promise<void> {
  const code = (id: number | null): string => network.locationById.get(id ?? -1)?.code ?? '';
  const answer = await createTransfer(writer, network, {
    reference: reference(o.id), reason: 'replenishment', from: code(o.from), to: code(o.to), lines: o.lines.map(({ sku, quantity }) => ({ sku, quantity })), approve: o.approve,
    // Same-day lanes still take some hours.
    transitS: Math.max(6 * 3600, o.days * 86_400),
  }, { actor: ACTOR, onlyLocation: null });
  await writer.pool.query(`update replenishment_orders set status = 'done', transfer_id = $2, done_at = $3 where id = $1 and status = 'planned'`, [o.id, decodeId('trf', answer.id), writer.clock()]);
}

async function purchase(writer: StockWriter, network: Network, o: Planned): Promise<void> {
  await network.loadSkus(o.lines.map((l) => l.sku));
  await writer.change(async (tx) => {
    const row = await tx.one<{ send: boolean }>(
      `select coalesce((s.policy -> 'approve' ->> 'sendPurchases')::boolean, false) send from replenishment_orders o join replenishment_scopes s on s.code = o.scope where o.id = $1 and o.status = 'planned' for no key update of o`, [o.id]);
    if (!row) return;
    await createIn(tx, network, {
      reference: reference(o.id), vendor: o.vendor ?? '', location: network.locationById.get(o.to)?.code ?? '', lines: o.lines.map(({ sku, quantity }) => ({ sku, quantity })), approve: o.approve, send: o.approve && row.send,
    }, { actor: ACTOR, onlyLocation: null }, o.id);
    await tx.query(`update replenishment_orders set status = 'done', purchase_id = $1, done_at = $2 where id = $1`, [o.id, tx.now]);
  });
}

/** Stock that was sold meanwhile, a location that was closed: said, and looked at again where another plan may do better. */
async function failed(writer: StockWriter, o: Planned, problem: Problem): Promise<void> {
  await writer.change(async (tx) => {
    const row = await tx.one(`update replenishment_orders set status = 'failed', problem = $2, done_at = $3 where id = $1 and status = 'planned' returning id`, [o.id, `${problem.code}: ${problem.message}`.slice(0, 500), tx.now]);
    if (!row || problem.code !== 'insufficient_stock') return;
    await tx.query(
      `insert into replenishment_dirty as d (sku_id, location_id, at) select s, $2, now() from unnest($1::int[]) s order by s on conflict (sku_id, location_id) do update set stamp = default, at = excluded.at`,
      [o.lines.map((l) => l.skuId), o.to]);
  });
}
