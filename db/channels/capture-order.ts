import { firstApplied, type Keep } from '../../domain/channel/next-steps.ts';
import type { SeenOrder } from '../../domain/channel/seen-order.ts';
import { PartnerUnavailable } from '../../domain/http-port.ts';
import { decodeId } from '../../domain/ids.ts';
import type { CaptureQueue } from '../capture/capture-queue.ts';
import { captureIntake } from '../capture/capture-intake.ts';
import { bodyHash } from '../capture/prepare.ts';
import type { Channel, Location, Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Vault } from '../vault.ts';
import { checkFloors, Hold, holdOf } from './hold.ts';
import { toIntake, type LineMap } from './intake.ts';
import { listingsOf } from './listings.ts';
import type { Begun } from './order-state.ts';
import { countCaptured } from './sold.ts';

export type ApplyDeps = { writer: StockWriter; network: Network; vault: Vault; capture: CaptureQueue };
/** What the shop's settings say of its orders. `platformLocation`: the code of the location that stands for the platform's own warehouse. `lateCancel`: once goods have left, a cancellation changes nothing (else it asks for the money). */
export type IntakeRules = { automaticMapping: boolean; platformLocation: string | null; restores: 'never' | 'unpaid' | 'cancelled'; lateCancel?: 'refuse' };
/** Our order, and the platform's lines that it was made with. */
export type Known = { orderId: string; map: LineMap[] };

const actorOf = (channel: Channel): string => `channel:${channel.code}`;

/** The order as our intake, under its lines as we sell them. Throws Hold. */
async function prepare({ writer, network }: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules): Promise<ReturnType<typeof toIntake>> {
  const listings = await listingsOf(writer.pool, network, channel.id, seen.lines, rules.automaticMapping, writer.clock());
  const unmapped = seen.lines.find((l) => (listings.get(l.platformSku)?.components.length ?? 0) === 0);
  if (unmapped) throw new Hold('unmapped_sku', `listing:${unmapped.platformSku}`, `listing ${unmapped.platformSku} (${unmapped.merchantCode ?? 'no merchant code'}) is not mapped to a SKU of ours`, listings.get(unmapped.platformSku)?.version ?? 0);
  checkFloors(seen, listings);
  try {
    return toIntake(channel.code, seen, listings);
  } catch (error) {
    if (error instanceof RangeError) throw new Hold('empty', 'empty', error.message);
    throw error;
  }
}

/** Where an order has to be served from: null, wherever it can be. Named before it is captured, for from then on it is routed. */
function placeOf(network: Network, seen: SeenOrder, rules: IntakeRules): Location | null {
  if (seen.fulfilledBy !== 'platform') return null;
  const code = rules.platformLocation;
  if (code === null) throw new Hold('platform_location', 'platform_location', "the platform's own warehouse ships this order: name the location that stands for it (setting platformLocation)");
  const location = network.locations.get(code);
  if (!location?.active) throw new Hold('platform_location', 'platform_location', `the platform's own warehouse ships this order, and location "${code}" (setting platformLocation) is not known or not active`);
  return location;
}

/** Captures the order. What it is made of is noted before, and which order it became after: killed in between, `captured` puts both together. */
export async function capture(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules, keep: Keep): Promise<Known> {
  const { writer, network } = deps;
  if (seen.currency !== channel.currency) throw new Hold('currency', 'currency', `the order is in ${seen.currency}, the shop in ${channel.currency}`);
  if ((seen.keptBack ?? null) !== null) throw new Hold('kept_back', 'kept_back', `the platform keeps it back: ${seen.keptBack ?? ''}`);
  if (seen.address === null) throw new Hold('no_address', 'address', 'the platform shows no receiver of this order');
  const place = placeOf(network, seen, rules);
  const made = await prepare(deps, channel, seen, rules);
  await network.loadSkus(made.intake.lines.map((l) => l.sku));
  const begun: Begun = { lines: made.map, applied: firstApplied(seen, keep) };
  await writer.pool.query({
    name: 'channel_order_begun',
    text: `insert into channel_orders as o (channel_id, external_id, state, begun, first_seen_at, updated_at) values ($1, $2, 'open', $3, $4, $4)
      on conflict (channel_id, external_id) do update set begun = coalesce(o.begun, '{}') || excluded.begun where o.order_id is null`,
    values: [channel.id, seen.externalId, JSON.stringify({ [bodyHash(made.intake).toString('hex')]: begun }), writer.clock()],
  });
  const outcome = await captureIntake({ ...deps, pool: writer.pool }, made.intake, { apiKeyId: 0, idempotencyKey: null, actor: actorOf(channel), locationId: null, forcedLocationId: place?.id ?? null });
  if ('problem' in outcome) {
    if (outcome.problem.code === 'duplicate_with_other_body' && await orderOf(deps, channel, seen.externalId)) throw new PartnerUnavailable('the order is being captured as it was before: it is read again');
    throw outcome.problem;
  }
  const orderId = decodeId('ord', outcome.answer.id);
  if (orderId === null) throw new Error('unreachable: a captured order has an id');
  await note(deps, channel, seen.externalId, orderId, begun, place);
  return { orderId, map: made.map };
}

/** An order that we have captured of this shop; null: none. One that came another way (an import, our API) is not the shop's to change. */
async function orderOf({ writer }: ApplyDeps, channel: Channel, externalId: string): Promise<{ id: string; hash: Buffer } | null> {
  const { rows } = await writer.pool.query<{ id: string; hash: Buffer }>({
    name: 'channel_order_ours',
    text: `select o.id, o.body_hash hash from orders o where o.channel_id = $1 and o.external_id = $2
      and exists (select from order_events e where e.order_id = o.id and e.type = 'order.captured' and e.actor = $3)`,
    values: [channel.id, externalId, actorOf(channel)],
  });
  return rows[0] ?? null;
}

/**
 * The order of a capture that was killed before it could say so, with what it was made of; null: there is none. It lives already, whatever the platform has done to it since. Where nobody noted what it was made of,
 * it is as the platform shows it now if that makes the same body, else of no line that we know.
 */
export async function captured(deps: ApplyDeps, channel: Channel, seen: SeenOrder, rules: IntakeRules, begun: Readonly<Record<string, Begun>> | null, keep: Keep): Promise<(Known & Pick<Begun, 'applied'>) | null> {
  const order = await orderOf(deps, channel, seen.externalId);
  if (!order) return null;
  const from = begun?.[order.hash.toString('hex')] ?? await asItIs() ?? { lines: [], applied: null };
  await note(deps, channel, seen.externalId, order.id, from, null);
  return { orderId: order.id, map: from.lines, applied: from.applied };

  async function asItIs(): Promise<Begun | null> {
    try {
      const made = await prepare(deps, channel, seen, rules);
      return bodyHash(made.intake).equals(order?.hash ?? Buffer.alloc(0)) ? { lines: made.map, applied: firstApplied(seen, keep) } : null;
    } catch (error) {
      if (!holdOf(error)) throw error;
      return null;
    }
  }
}

/** Notes which order it became, and in which state; its units count as sold of their listings with that. */
async function note({ writer }: ApplyDeps, channel: Channel, externalId: string, orderId: string, begun: Begun, place: Location | null): Promise<void> {
  await writer.change(async (tx) => {
    const fresh = await tx.query(
      `insert into channel_orders as o (channel_id, external_id, state, order_id, lines, applied, first_seen_at, updated_at) values ($1, $2, 'open', $3, $4, $5, $6, $6)
       on conflict (channel_id, external_id) do update set order_id = excluded.order_id, lines = excluded.lines, applied = excluded.applied, begun = null, state = 'open', hold_reason = null, hold_detail = null,
         hold_key = null, held_units = null, updated_at = excluded.updated_at where o.order_id is null returning 1`,
      [channel.id, externalId, orderId, JSON.stringify(begun.lines), begun.applied === null ? null : JSON.stringify(begun.applied), tx.now]);
    if (fresh.length === 0) return;
    await countCaptured(tx, channel.id, begun.lines);
    if (place) await tx.event(orderId, 'order.location_forced', actorOf(channel), { location: place.code, reason: 'the platform ships it' });
  });
}
