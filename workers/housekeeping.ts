import type { Logger } from 'pino';
import { cleanKeys } from '../db/capture/repetitions.ts';
import { cleanChannels } from '../db/channels/clean.ts';
import { readChanges } from '../db/channels/read-changes.ts';
import { hasShops } from '../db/channels/shops.ts';
import { tendCampaigns } from '../db/clearance/tend.ts';
import { rollUpDemand } from '../db/demand/roll-up.ts';
import { tendDeclarations } from '../db/declarations/tend.ts';
import { expireLeases } from '../db/leases/expire-leases.ts';
import { quarantineExpired } from '../db/lots/quarantine-expired.ts';
import { tendRecalledLots } from '../db/lots/recall-lot.ts';
import { ensurePartitions } from '../db/partitions.ts';
import { expireDue } from '../db/orders/expiry.ts';
import { tendStops } from '../db/network-admin/stops.ts';
import type { Network } from '../db/network.ts';
import { measureCarriers } from '../db/routing/carrier-performance.ts';
import { measureReliability } from '../db/routing/reliability.ts';
import { gatherWave } from '../db/routing/wave/gather.ts';
import { tendAllotments } from '../db/stock/allotments/tend.ts';
import { tendRedistribution } from '../db/redistribution/plan.ts';
import { tendSlowMovers } from '../db/slow-movers/look.ts';
import { tendReplenishment, tendScopes } from '../db/replenishment/scopes.ts';
import { tendBuffers } from '../db/stock/buffers/sales-rates.ts';
import { tendLateSupplies } from '../db/stock/supplies/change-date.ts';
import type { StockWriter } from '../db/stock-writer.ts';
import { repeat } from './repeat.ts';

const EXPIRY_MS = 500;
/** What platforms must hear is noted so often; more would only split what belongs together. */
const CHANGES_MS = 200;
const ALLOTMENTS_MS = 2_000;
const DEMAND_MS = 1_000;
const CARRIERS_MS = 5_000;
const CLEANING_MS = 600_000;
const SHOPS_MS = 60_000;
const BUFFERS_MS = 3_600_000;

/**
 * What PostgreSQL's dates make due, worked off by every worker: expiries twice a second, allotments, recalled lots and late supplies every other second, expired lots once a
 * day, buffers in days of sale and what locations and carriers did once an hour, old keys and partitions now and then. Expiries have a loop of their own: a carrier that answers slowly must not keep anybody's units.
 */
export function startHousekeeping(writer: StockWriter, network: Network, logger: Logger, tendCarriers: () => Promise<Readonly<Record<string, number>>>): { close(): Promise<void> } {
  let cleanedAt = 0;
  let tendedAt = 0;
  let buffersAt = 0;
  let quarantined = '';
  const expiries = async (): Promise<void> => {
    const orders = await expireDue(writer);
    const reservations = await expireLeases(writer);
    if (orders + reservations > 0) logger.info({ orders, reservations }, 'unpaid orders and reservations expired');
  };
  const round = async (): Promise<void> => {
    if (Date.now() - tendedAt >= ALLOTMENTS_MS) {
      tendedAt = Date.now();
      const tended = await tendAllotments(writer);
      if (Object.values(tended).some((n) => n > 0)) logger.info(tended, 'allotments tended');
      const declarations = await tendDeclarations(writer);
      if (declarations > 0) logger.info({ declarations }, 'ended sessions tended');
      const lots = await tendRecalledLots(writer);
      if (lots > 0) logger.info({ lots }, 'reserved units of recalled lots taken back');
      const waved = await gatherWave(writer);
      if (waved > 0) logger.info({ orders: waved }, 'orders in merge windows gathered in a wave');
      const scopes = await tendReplenishment(writer);
      if (scopes > 0) logger.info({ scopes }, 'scopes asked to look at their stock');
      const campaigns = await tendCampaigns(writer);
      if (campaigns > 0) logger.warn({ campaigns }, 'campaigns that nobody looked at were asked for again');
      const stops = await tendStops(writer);
      if (stops > 0) logger.info({ stops }, 'pauses and blocks of locations are over');
      const supplies = await tendLateSupplies(writer, network);
      if (supplies > 0) logger.info({ supplies }, 'supplies did not come on their date');
    }
    const today = writer.clock().toISOString().slice(0, 10);
    if (quarantined !== today) {
      const units = await quarantineExpired(writer);
      quarantined = today;
      if (units > 0) logger.info({ units }, 'units of expired lots quarantined');
    }
    if (Date.now() - buffersAt >= BUFFERS_MS) {
      buffersAt = Date.now();
      const levels = await tendBuffers(writer);
      if (levels > 0) logger.info({ levels }, 'buffers follow sales');
      logger.info({ locations: await measureReliability(writer) }, 'locations measured by what they accept');
      logger.info({ lanes: await measureCarriers(writer) }, 'carriers measured by what came in time');
    }
    if (Date.now() - cleanedAt < CLEANING_MS) return;
    cleanedAt = Date.now();
    await tendSlowMovers(writer);
    await tendRedistribution(writer);
    await tendScopes(writer);
    await cleanKeys(writer.pool);
    await ensurePartitions(writer.pool);
  };
  // However much there is: it keeps nobody waiting.
  const shops = (): Promise<void> => cleanChannels(writer.pool, writer.clock());
  const channels = async (): Promise<void> => { if (await hasShops(writer.pool)) await readChanges(writer.pool, network, writer.clock()); };
  const demand = async (): Promise<void> => { await rollUpDemand(writer.pool, writer.clock()); };
  // A carrier that answers slowly keeps nobody else waiting.
  const carriers = async (): Promise<void> => {
    const tended = await tendCarriers();
    if (Object.values(tended).some((n) => n > 0)) logger.info(tended, 'carriers tended');
  };
  const loops = [[expiries, EXPIRY_MS], [round, EXPIRY_MS], [channels, CHANGES_MS], [demand, DEMAND_MS], [carriers, CARRIERS_MS], [shops, SHOPS_MS]].map(([run, ms]) =>
    repeat(run as () => Promise<void>, ms as number, (error) => { logger.warn({ err: error }, 'housekeeping postponed'); }));
  return { async close() { await Promise.all(loops.map((close) => close())); } };
}
