import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { Problem } from '../../domain/problem.ts';
import type { Channel, Network } from '../network.ts';
import { inTransaction } from '../transaction.ts';
import type { Vault } from '../vault.ts';
import { retryAll } from './refusals.ts';
import { wakeChannels } from './wake.ts';

/** A shop account as it is configured. `secrets` in clear, in memory only. `hookKey`: the unguessable part of the address that the platform pushes to. */
export type ShopRow = {
  channel: Channel; settings: Record<string, unknown>; secrets: Record<string, string>; hookKey: string; limits: Record<string, { perSecond: number; burst: number }>; updatedAt: Date;
};
type Row = { channelId: number; settings: Record<string, unknown>; secrets: Buffer | null; hookKey: string; limits: ShopRow['limits']; updatedAt: Date };
const SHOP = `channel_id "channelId", settings, secrets, hook_key "hookKey", limits, updated_at "updatedAt"`;

const FRESH_MS = 2_000;

/** The shops as one process knows them, each read again after two seconds: a push must not wait for the database, and a changed secret must count soon. */
export class ShopBook {
  readonly #pool: pg.Pool;
  readonly #network: Network;
  readonly #vault: Vault;
  readonly #known = new Map<string, { at: number; shop: Promise<ShopRow | null> }>();

  constructor(pool: pg.Pool, network: Network, vault: Vault) {
    this.#pool = pool;
    this.#network = network;
    this.#vault = vault;
  }

  /** Null: no such channel, or one without a shop account. */
  async find(code: string): Promise<ShopRow | null> {
    const known = this.#known.get(code);
    if (known && performance.now() - known.at < FRESH_MS) return known.shop;
    const channel = this.#network.channels.get(code);
    if (!channel) return null; // nothing is remembered of codes that somebody made up
    const shop = this.#read(channel);
    this.#known.set(code, { at: performance.now(), shop });
    shop.catch(() => { this.#known.delete(code); });
    return shop;
  }

  forget(code: string): void { this.#known.delete(code); }

  async #read(channel: Channel): Promise<ShopRow | null> {
    const { rows: [row] } = await this.#pool.query<Row>({ name: 'shop_read', text: `select ${SHOP} from channel_shops where channel_id = $1`, values: [channel.id] });
    return row ? { channel, settings: row.settings, secrets: row.secrets === null ? {} : JSON.parse(this.#vault.openSecret(row.secrets)) as Record<string, string>, hookKey: row.hookKey, limits: row.limits, updatedAt: row.updatedAt } : null;
  }
}

/**
 * Makes or changes a shop account. Secrets that are not given stay as they were. The first time the past of `since` on is read from the platform, and the push address is made.
 * What the platform had refused is tried again. `tellsStock`: the platform is told its stock. Throws `unknown_channel`.
 */
export async function putShop(
  pool: pg.Pool, vault: Vault, network: Network, code: string,
  shop: { settings: Record<string, unknown>; secrets: Record<string, string>; limits: ShopRow['limits']; since: Date | null; newHookKey: boolean; tellsStock?: boolean }, now: Date,
): Promise<{ hookKey: string }> {
  const channel = network.channels.get(code);
  if (!channel) throw new Problem('unknown_channel', `channel "${code}" is not known; make it first with PUT /v1/channels/${code}`, '/code');
  return inTransaction(pool, async (client) => {
    const { rows: [old] } = await client.query<Row>(`select ${SHOP} from channel_shops where channel_id = $1 for update`, [channel.id]);
    const known = old?.secrets ? JSON.parse(vault.openSecret(old.secrets)) as Record<string, string> : {};
    const secrets = { ...known, ...shop.secrets };
    const { rows: [row] } = await client.query<{ hook_key: string }>(
      `insert into channel_shops (channel_id, settings, secrets, hook_key, limits, polled_until, created_at, updated_at, tells_stock) values ($1, $2, $3, $4, $5, $6, $7, $7, $9)
       on conflict (channel_id) do update set settings = excluded.settings, secrets = excluded.secrets, limits = excluded.limits, updated_at = excluded.updated_at, tells_stock = excluded.tells_stock,
         hook_key = case when $8 then excluded.hook_key else channel_shops.hook_key end returning hook_key`,
      [channel.id, JSON.stringify(shop.settings), vault.sealSecret(JSON.stringify(secrets)), randomBytes(24).toString('base64url'), JSON.stringify(shop.limits), shop.since ?? now, now, shop.newHookKey, shop.tellsStock ?? true]);
    // Another account's token opens nothing here; the same account said again keeps its own, for which its code or refresh token may be spent.
    if (Object.entries(shop.secrets).some(([name, value]) => known[name] !== value)) await client.query('delete from channel_tokens where channel_id = $1', [channel.id]);
    await client.query(`insert into publish_rules (channel_id) values ($1) on conflict do nothing`, [channel.id]);
    await retryAll(client, channel.id, now);
    await wakeChannels(client, [code], now);
    return { hookKey: row?.hook_key ?? '' };
  });
}

/** The codes of channels that have a shop account and are active. */
export async function shopCodes(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ code: string }>('select code from channel_shops join channels c on c.id = channel_id where c.active order by code');
  return rows.map((r) => r.code);
}

/** Whether any channel has a shop account. */
export async function hasShops(pool: pg.Pool): Promise<boolean> {
  const { rowCount } = await pool.query({ name: 'has_shops', text: 'select 1 from channel_shops limit 1' });
  return rowCount === 1;
}
