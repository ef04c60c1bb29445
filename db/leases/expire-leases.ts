import { isRetryable, type StockWriter } from '../stock-writer.ts';
import { endLeases } from './end-leases.ts';

const BATCH = 50;

/**
 * PostgreSQL decides expiry: leases whose time has come give their units back, with Temporal down too. Taken by the index of what is due until nothing is;
 * several workers share them (`SKIP LOCKED`), and a lease that is just being extended or transferred is looked at again in the next round.
 * Returns how many expired.
 */
export async function expireLeases(writer: StockWriter): Promise<number> {
  for (let expired = 0; ;) {
    let ended: number;
    try {
      ended = await expireSome(writer, BATCH, 0);
    } catch (error) {
      if (isRetryable(error)) throw error;
      // One lease that cannot be ended must not keep the others' stock.
      return expired + await expireEach(writer);
    }
    expired += ended;
    if (ended < BATCH) return expired;
  }
}

function expireSome(writer: StockWriter, limit: number, passOver: number): Promise<number> {
  return writer.change(async (tx) => {
    const due = await tx.query<{ id: string }>(
      `select id from leases where status = 'active' and expires_at <= $1 order by expires_at, id limit $2 offset $3 for no key update skip locked`, [tx.now, limit, passOver]);
    await endLeases(tx, due.map((l) => l.id), 'expired');
    return due.length;
  });
}

async function expireEach(writer: StockWriter): Promise<number> {
  let expired = 0;
  for (let faulty = 0; faulty < BATCH;) {
    try {
      const ended = await expireSome(writer, 1, faulty);
      if (ended === 0) break;
      expired += ended;
    } catch (error) {
      process.emitWarning(`a reservation could not expire: ${error instanceof Error ? error.message : String(error)}`);
      faulty++;
    }
  }
  return expired;
}
