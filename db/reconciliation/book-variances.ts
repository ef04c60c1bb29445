import { spreadLoss, type Loser } from '../../domain/stock/spread-loss.ts';
import { ensureLevels, lockLevels } from '../ledger.ts';
import { changeLevels, lockLosers } from '../stock/change-levels.ts';
import { YOUNGEST_FIRST } from '../stock/shorten.ts';
import type { Tx } from '../tx.ts';

/** A correction of what is on hand: of one lot, or (null) wherever. Negative units are lost. */
export type Correction = { skuId: number; condition: string; lot: string | null; units: number };

type Level = Loser & { item: number };

/** The levels of a location that corrections speak of, in the order in which they lose: the shared stock first, then by allotment; lots that expire first. */
async function levelsFor(tx: Tx, locationId: number, items: readonly Correction[]): Promise<Level[]> {
  return tx.query<Level>(
    `select t.item::int - 1 item, v.id "levelId", v.on_hand "onHand", v.reserved from unnest($2::int[], $3::text[], $4::text[]) with ordinality t(sku_id, condition, lot, item)
     join stock_levels v on v.sku_id = t.sku_id and v.location_id = $1 and v.condition = t.condition and v.supply_id = 0 left join lots o on o.id = v.lot_id
     where t.lot is null or o.code = t.lot order by t.item, v.allotment_id <> 0, v.allotment_id, o.expires_on nulls last, v.id`,
    [locationId, items.map((i) => i.skuId), items.map((i) => i.condition), items.map((i) => i.lot)]);
}

/** Where gains go: the shared stock, in the lot that was counted, else in the one that expires last. */
async function placesFor(tx: Tx, locationId: number, items: readonly Correction[]): Promise<number[]> {
  const named = items.filter((i) => i.lot !== null);
  if (named.length > 0) {
    await tx.query('insert into lots (sku_id, code) select distinct * from unnest($1::int[], $2::text[]) t(s, c) order by s, c on conflict (sku_id, code) do nothing', [named.map((i) => i.skuId), named.map((i) => i.lot)]);
  }
  const rows = await tx.query<{ lot: number }>(
    `select coalesce((select o.id from lots o where o.sku_id = t.sku_id and o.code = t.lot),
       (select v.lot_id from stock_levels v join lots o on o.id = v.lot_id where v.location_id = $1 and v.sku_id = t.sku_id and v.condition = t.condition and v.supply_id = 0 and v.allotment_id = 0
        and k.lot_tracked order by o.expires_on desc nulls first, v.id desc limit 1), 0) lot
     from unnest($2::int[], $3::text[], $4::text[]) with ordinality t(sku_id, condition, lot, item) join skus k on k.id = t.sku_id order by item`,
    [locationId, items.map((i) => i.skuId), items.map((i) => i.condition), items.map((i) => i.lot)]);
  return ensureLevels(tx.client, items.map((item, i) => ({ locationId, skuId: item.skuId, condition: item.condition, lotId: rows[i]?.lot ?? 0 })));
}

/** Units each level loses, item by item. */
async function spread(tx: Tx, locationId: number, losses: readonly Correction[]): Promise<Map<number, number>[]> {
  const levels = await levelsFor(tx, locationId, losses);
  const reserved = await tx.query<{ levelId: number; units: number }>(
    `select level_id "levelId", quantity units from reservations r where level_id = any($1::bigint[]) and status in ('held', 'confirmed') order by ${YOUNGEST_FIRST}`, [levels.map((l) => l.levelId)]);
  return losses.map(({ units }, item) => {
    const own = levels.filter((l) => l.item === item);
    const ids = new Set(own.map((l) => l.levelId));
    return spreadLoss(own, reserved.filter((r) => ids.has(r.levelId)), -units);
  });
}

/**
 * Locks what corrections will touch, orders before levels, so that what is read afterwards cannot change. Losing orders are found without a lock on levels;
 * whoever reserves in between is found when the units are taken.
 */
export async function lockForCorrections(tx: Tx, locationId: number, items: readonly Correction[]): Promise<void> {
  const gains = items.filter((i) => i.units > 0);
  const places = gains.length > 0 ? await placesFor(tx, locationId, gains) : [];
  const losses = items.filter((i) => i.units < 0);
  await lockLosers(tx, new Map((await spread(tx, locationId, losses)).flatMap((m) => [...m].map(([id, units]) => [id, -units] as const))));
  await lockLevels(tx.client, [...places, ...(await levelsFor(tx, locationId, items)).map((l) => l.levelId)]);
}

/**
 * Books corrections: gains to the shared stock, losses from free units of the shared stock, then of the allotments, then from the youngest reservations, whose
 * orders get a shortage. Returns how many reserved units were gone, by item. Items are of different holders; each loss must be on hand.
 */
export async function bookCorrections(tx: Tx, locationId: number, items: readonly Correction[], actor: string): Promise<number[]> {
  const gains = items.filter((i) => i.units > 0);
  const places = gains.length > 0 ? await placesFor(tx, locationId, gains) : [];
  if (gains.length > 0) await changeLevels(tx, 'reconciliation', new Map(places.map((id, i) => [id, gains[i]?.units ?? 0])), actor);
  const shortened: number[] = [];
  for (const item of items) {
    if (item.units >= 0) {
      shortened.push(0);
      continue;
    }
    const [taken = new Map<number, number>()] = await spread(tx, locationId, [item]);
    shortened.push(await changeLevels(tx, 'reconciliation', new Map([...taken].map(([id, units]) => [id, -units])), actor));
  }
  return shortened;
}
