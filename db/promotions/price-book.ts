import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import { kindsPair, type PromotionKind } from '../../domain/promotion/model.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Vault } from '../vault.ts';

/** `channel` left out: every channel of the currency. `price` null: the price is taken out of the book. Minor units of one unit. */
export type PriceEntry = { sku: string; channel?: string; currency: string; price: number | null; floor?: number };

/** Writes entries of the price book; all or none. Throws Problem with the field. Returns how many. */
export async function putPrices(writer: StockWriter, network: Network, entries: readonly PriceEntry[]): Promise<number> {
  return writer.change(async (tx) => {
    const skus = new Map((await tx.query<{ id: number; code: string }>('select id, code from skus where code = any($1::text[])', [entries.map((e) => e.sku)])).map((r) => [r.code, r.id]));
    const seen = new Set<string>();
    const rows = entries.map((e, i) => {
      const skuId = skus.get(e.sku);
      if (skuId === undefined) throw new Problem('unknown_sku', `SKU "${e.sku}" is not known`, `/prices/${i}/sku`);
      const channel = e.channel === undefined ? null : network.channels.get(e.channel);
      if (channel === undefined) throw new Problem('unknown_channel', `channel "${e.channel ?? ''}" is not known`, `/prices/${i}/channel`);
      if (channel && channel.currency !== e.currency) throw new Problem('unprocessable', `channel ${channel.code} takes ${channel.currency}`, `/prices/${i}/currency`);
      if (e.price !== null && e.floor !== undefined && e.floor > e.price) throw new Problem('unprocessable', `the floor ${e.floor} lies above the price ${e.price}`, `/prices/${i}/floor`);
      const key = `${skuId}|${e.currency}|${channel?.id ?? ''}`;
      if (seen.has(key)) throw new Problem('unprocessable', 'this SKU, channel and currency is there twice', `/prices/${i}`);
      seen.add(key);
      return { skuId, channelId: channel?.id ?? null, currency: e.currency, price: e.price, floor: e.floor ?? null };
    }).sort((a, b) => a.skuId - b.skuId || (a.channelId ?? 0) - (b.channelId ?? 0));
    const gone = rows.filter((r) => r.price === null);
    const kept = rows.filter((r) => r.price !== null);
    await tx.query(`delete from sku_prices p using unnest($1::int[], $2::smallint[], $3::text[]) as t(s, c, m) where p.sku_id = t.s and p.channel_id is not distinct from t.c and p.currency = t.m`,
      [gone.map((r) => r.skuId), gone.map((r) => r.channelId), gone.map((r) => r.currency)]);
    await tx.query(`insert into sku_prices (sku_id, channel_id, currency, price, floor) select * from unnest($1::int[], $2::smallint[], $3::text[], $4::bigint[], $5::bigint[])
      on conflict (sku_id, currency, channel_id) do update set (price, floor) = (excluded.price, excluded.floor)`,
    [kept.map((r) => r.skuId), kept.map((r) => r.channelId), kept.map((r) => r.currency), kept.map((r) => r.price), kept.map((r) => r.floor)]);
    return rows.length;
  });
}

export async function readPrices(pool: pg.Pool, sku: string): Promise<{ sku: string; channel: string | null; currency: string; price: number; floor: number | null }[]> {
  return (await pool.query<{ sku: string; channel: string | null; currency: string; price: number; floor: number | null }>(
    `select s.code sku, c.code channel, p.currency, p.price, p.floor from sku_prices p join skus s on s.id = p.sku_id left join channels c on c.id = p.channel_id where s.code = $1 order by c.code nulls first, p.currency`, [sku])).rows;
}

/** The conflict matrix, in place of the one before: pairs of kinds that exclude each other on a line. */
export async function putConflicts(writer: StockWriter, pairs: readonly (readonly [PromotionKind, PromotionKind])[]): Promise<void> {
  await writer.change(async (tx) => {
    const keys = [...new Set(pairs.map(([a, b]) => kindsPair(a, b)))].sort().map((k) => k.split('|'));
    await tx.query('lock table promotion_conflicts in share row exclusive mode');
    await tx.query('delete from promotion_conflicts');
    await tx.query('insert into promotion_conflicts select * from unnest($1::text[], $2::text[])', [keys.map((k) => k[0]), keys.map((k) => k[1])]);
  });
}

export async function readConflicts(pool: pg.Pool): Promise<[string, string][]> {
  return (await pool.query<{ a: string; b: string }>('select kind_a a, kind_b b from promotion_conflicts order by 1, 2')).rows.map((r) => [r.a, r.b]);
}

/** Members of staff by their number; only a keyed hash of it is kept. */
export async function putStaff(writer: StockWriter, vault: Vault, members: readonly { id: string; group: string; active?: boolean }[]): Promise<number> {
  return writer.change(async (tx) => {
    const rows = [...new Map(members.map((m) => [vault.hash('staff', m.id).toString('hex'), m])).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    await tx.query(`insert into staff_members (staff_hash, staff_group, active) select decode(h, 'hex'), g, a from unnest($1::text[], $2::text[], $3::bool[]) as t(h, g, a)
      on conflict (staff_hash) do update set (staff_group, active) = (excluded.staff_group, excluded.active)`,
    [rows.map(([h]) => h), rows.map(([, m]) => m.group), rows.map(([, m]) => m.active ?? true)]);
    return rows.length;
  });
}
