import type { Logger } from 'pino';
import { tendDeclarations } from '../db/declarations/tend.ts';
import { expireDue } from '../db/orders/expiry.ts';
import { tendAllotments } from '../db/stock/allotments/tend.ts';
import type { StockWriter } from '../db/stock-writer.ts';

const EXPIRY_MS = 500;
const ALLOTMENTS_MS = 2_000;
const POLL_MS = 30_000;
const CLEANING_MS = 600_000;

/** What PostgreSQL's dates make due, worked off by every worker: expiries twice a second, allotments every other second, old keys and partitions now and then. */
export function startHousekeeping(writer: StockWriter, logger: Logger, pollCarriers: () => Promise<number>): { close(): Promise<void> } {
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  let cleanedAt = 0;
  let polledAt = 0;
  let tendedAt = 0;
  let timer: NodeJS.Timeout;
  const round = async (): Promise<void> => {
    const expired = await expireDue(writer);
    if (expired > 0) logger.info({ expired }, 'unpaid orders expired');
    if (Date.now() - tendedAt >= ALLOTMENTS_MS) {
      tendedAt = Date.now();
      const tended = await tendAllotments(writer);
      if (Object.values(tended).some((n) => n > 0)) logger.info(tended, 'allotments tended');
      const declarations = await tendDeclarations(writer);
      if (declarations > 0) logger.info({ declarations }, 'ended sessions tended');
    }
    if (Date.now() - polledAt >= POLL_MS) {
      polledAt = Date.now();
      const news = await pollCarriers();
      if (news > 0) logger.info({ news }, 'tracking that was not pushed');
    }
    if (Date.now() - cleanedAt < CLEANING_MS) return;
    cleanedAt = Date.now();
    await writer.pool.query('delete from idempotency_keys where expires_at < now()');
    await writer.pool.query(`select ensure_movement_partitions((now() - interval '1 month')::date, 6)`);
  };
  const next = (): void => {
    timer = setTimeout(() => {
      running = round().catch((error: Error) => { logger.warn({ err: error }, 'housekeeping postponed'); }).finally(() => { if (!closed) next(); });
    }, EXPIRY_MS);
  };
  next();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
