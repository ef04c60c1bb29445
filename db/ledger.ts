import type pg from 'pg';

/** One leg: a change of one holder. Quantities in the SKU's base unit. */
export type Leg = { levelId: number; onHand: number; reserved: number };
/** `sellable`: in good condition and of no recalled lot. */
export type LockedLevel = { id: number; skuId: number; locationId: number; allotmentId: number; supplyId: number; onHand: number; reserved: number; buffer: number; sellable: boolean };

const LEVEL = `id, sku_id "skuId", location_id "locationId", allotment_id "allotmentId", supply_id "supplyId", on_hand "onHand", reserved, buffer,
  (condition = 'sellable' and (lot_id = 0 or not exists (select from lots where lots.id = lot_id and recalled_at is not null))) sellable`;

/** Thrown where a change would break 0 ≤ reserved ≤ on hand. */
export class LedgerError extends Error {
  readonly levelId: number;
  constructor(levelId: number, message: string) {
    super(message);
    this.levelId = levelId;
  }
}

/** Locks levels in id order; without FOR UPDATE's clash with foreign keys. */
export async function lockLevels(client: pg.ClientBase, ids: Iterable<number>): Promise<Map<number, LockedLevel>> {
  const sorted = [...new Set(ids)].sort((a, b) => a - b);
  if (sorted.length === 0) return new Map();
  const { rows } = await client.query<LockedLevel>({
    name: 'levels_lock',
    text: `select ${LEVEL} from stock_levels where id = any($1::bigint[]) order by id for no key update`,
    values: [sorted],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * Posts legs under one command: locks, changes, writes movements. A command whose first leg is there already has been posted:
 * nothing changes and null comes back, so that a retry is safe.
 */
export async function postMovements(
  client: pg.ClientBase, commandId: string, cause: string, orderId: string | null, legs: readonly Leg[],
): Promise<LockedLevel[] | null> {
  const byLevel = new Map<number, Leg>();
  for (const leg of legs) {
    const sum = byLevel.get(leg.levelId);
    byLevel.set(leg.levelId, { levelId: leg.levelId, onHand: (sum?.onHand ?? 0) + leg.onHand, reserved: (sum?.reserved ?? 0) + leg.reserved });
  }
  const net = [...byLevel.values()].sort((a, b) => a.levelId - b.levelId);
  if (net.length === 0) return [];
  const locked = await lockLevels(client, byLevel.keys());
  const { rowCount } = await client.query({
    name: 'command_posted', text: 'select 1 from stock_movements where command_id = $1 limit 1', values: [commandId],
  });
  if (rowCount) return null;
  for (const leg of net) {
    const level = locked.get(leg.levelId);
    if (!level) throw new LedgerError(leg.levelId, `stock level ${leg.levelId} does not exist`);
    level.onHand += leg.onHand;
    level.reserved += leg.reserved;
    if (level.reserved < 0 || level.reserved > level.onHand) {
      throw new LedgerError(leg.levelId, `${cause} would leave ${level.reserved} reserved of ${level.onHand} on hand`);
    }
  }
  for (const { id, buffer } of await writeLegs(client, net)) (locked.get(id) as LockedLevel).buffer = buffer;
  await client.query({
    name: 'movements_insert',
    text: `insert into stock_movements (command_id, leg, level_id, d_on_hand, d_reserved, cause, order_id)
      select $1, i - 1, l, h, r, $2, $3 from unnest($4::bigint[], $5::int[], $6::int[]) with ordinality as t(l, h, r, i)`,
    values: [commandId, cause, orderId, net.map((l) => l.levelId), net.map((l) => l.onHand), net.map((l) => l.reserved)],
  });
  return [...locked.values()];
}

/** The bare change of levels, without movements. Returns their buffers: some follow what is on hand. */
async function writeLegs(client: pg.ClientBase, net: readonly Leg[]): Promise<{ id: number; buffer: number }[]> {
  const { rows } = await client.query<{ id: number; buffer: number }>({
    name: 'levels_update',
    text: `update stock_levels l set on_hand = l.on_hand + d.h, reserved = l.reserved + d.r
      from unnest($1::bigint[], $2::int[], $3::int[]) as d(id, h, r) where l.id = d.id returning l.id, l.buffer`,
    values: [net.map((l) => l.levelId), net.map((l) => l.onHand), net.map((l) => l.reserved)],
  });
  return rows;
}

/** Finds or makes the holders of the given keys; the result is in the order of the keys. */
export async function ensureLevels(
  client: pg.ClientBase,
  keys: readonly { locationId: number; skuId: number; condition: string; lotId: number; allotmentId?: number; supplyId?: number }[],
): Promise<number[]> {
  const values = [keys.map((k) => k.skuId), keys.map((k) => k.locationId), keys.map((k) => k.condition), keys.map((k) => k.lotId),
    keys.map((k) => k.allotmentId ?? 0), keys.map((k) => k.supplyId ?? 0)];
  const wanted = `unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::int[], $6::int[])`;
  await client.query({
    name: 'levels_ensure',
    text: `insert into stock_levels (sku_id, location_id, condition, lot_id, allotment_id, supply_id)
      select distinct * from ${wanted} as t(s, l, c, o, a, p) order by s, l, c, o, a, p on conflict do nothing`,
    values,
  });
  const { rows } = await client.query<{ id: number }>({
    name: 'levels_find',
    text: `select v.id from ${wanted} with ordinality as t(s, l, c, o, a, p, i) join stock_levels v
      on (v.sku_id, v.location_id, v.condition, v.lot_id, v.allotment_id, v.supply_id) = (t.s, t.l, t.c, t.o, t.a, t.p) order by t.i`,
    values,
  });
  return rows.map((row) => row.id);
}
