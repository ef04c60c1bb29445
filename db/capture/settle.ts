import type pg from 'pg';
import { lockLevels, type LockedLevel } from '../ledger.ts';
import type { Network } from '../network.ts';
import type { StockProjection } from '../projection.ts';
import { decideWithGifts, takeLocked, withinShares, type Decision } from './decide.ts';
import { refusal } from './outcome.ts';
import type { PreparedOrder } from './prepare.ts';
import { sourcesOf } from './sources.ts';
import { Taken } from './taken.ts';

type SettleDeps = { network: Network; projection: StockProjection };

const ROUNDS = 3;

/** Checks what was chosen against the locked levels (and locks more where that changes); who loses is decided again on the true figures, at last with what is left. */
export async function settle(
  client: pg.ClientBase, rows: { order: PreparedOrder; decision: Decision }[], locked: Map<number, LockedLevel>, borrowed: ReadonlyMap<string, number>, deps: SettleDeps,
): Promise<Map<number, LockedLevel>> {
  for (const level of locked.values()) deps.projection.committed(level);
  const settled: typeof rows = [];
  const changed: typeof rows = [];
  let open = [...rows];
  for (let round = 1; open.length > 0 && round <= ROUNDS; round++) {
    const ids = new Set(open.flatMap((r) => r.decision.picks.map((p) => p.levelId)));
    for (const id of locked.keys()) ids.delete(id);
    for (const [id, level] of await lockLevels(client, ids)) {
      locked.set(id, level);
      // What is locked is the committed truth, whatever becomes of this batch.
      deps.projection.committed(level);
    }
    const taken = new Taken();
    for (const { decision } of settled) taken.add(decision.picks);
    const losers = open.filter((r) => {
      if (refusal(r.order, r.decision) || !withinShares(r.order, r.decision.picks, deps.network, deps.projection, taken) || !takeLocked(r.decision.picks, locked)) return true;
      settled.push(r);
      taken.add(r.decision.picks);
      return false;
    });
    // The last word is spoken over everything there is of these SKUs, locked: then nobody goes without while there is stock.
    if (losers.length > 0 && round === ROUNDS - 1) await lockAll(client, losers, locked, taken, deps);
    for (const loser of losers) {
      loser.decision = round < ROUNDS ? decideWithGifts(loser.order, deps.network, deps.projection, taken, borrowed, loser.decision.dropped) : nothing(loser.order);
      if (refusal(loser.order, loser.decision)) taken.add(loser.decision.picks, -1);
      changed.push(loser);
    }
    open = losers.filter((l) => !refusal(l.order, l.decision));
  }
  const kept = [...new Set(changed)].filter((r) => !refusal(r.order, r.decision));
  if (kept.length > 0) {
    await client.query(
      `update orders o set deliver_by = d.b, ship_by = coalesce(d.p, d.s) from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) as d(id, s, b, p)
       where o.id = d.id`,
      [kept.map((r) => r.order.id), kept.map((r) => r.decision.promise?.shipBy ?? null), kept.map((r) => r.decision.promise?.deliverBy ?? null),
        kept.map((r) => r.order.shipBy)]);
  }
  return locked;
}

/** Locks every level of the SKUs of some orders and shows the projection what they held before this batch took `taken`. */
async function lockAll(client: pg.ClientBase, rows: readonly { order: PreparedOrder }[], locked: Map<number, LockedLevel>, taken: Taken, { projection, network }: SettleDeps): Promise<void> {
  const skuIds = new Set(rows.flatMap((r) => r.order.lines.flatMap((l) => l.skuId ?? [])));
  await projection.rereadSkus(client, [...skuIds]);
  const ids = rows.flatMap(({ order }) => (sourcesOf(order, network, projection).at(-1) ?? []).flatMap(({ pool }) => order.lines.flatMap(({ skuId }) =>
    (skuId === null ? [] : [...pool.locationsOf(skuId).keys()].flatMap((at) => pool.levelsOf(skuId, at).map((l) => l.id))))));
  for (const [id, level] of await lockLevels(client, ids.filter((id) => !locked.has(id)))) locked.set(id, level);
  for (const [id, level] of locked) projection.committed({ ...level, reserved: level.reserved - (taken.levels.get(id) ?? 0) });
}

function nothing(order: PreparedOrder): Decision {
  const dropped = order.lines.filter((l) => l.given?.outOfStock === 'drop').map((l) => l.lineNo);
  return {
    picks: [], promise: null, dropped,
    missing: order.lines.filter((l) => !dropped.includes(l.lineNo)).map((l) => ({ lineNo: l.lineNo, skuId: l.skuId, skuCode: l.skuCode, quantity: l.quantity, cause: l.skuId === null ? 'unknown_sku' : 'no_stock' })),
  };
}
