import type { Logger } from 'pino';
import { saveBalances } from '../../db/carriers/accounts.ts';
import { followEnded, followPostponed, phoneTail, takeDueFollows } from '../../db/carriers/follows.ts';
import { tendSilence } from '../../db/carriers/tend-silence.ts';
import { labelRefused, takeDueWaybills, waybillEnded, waybillPostponed } from '../../db/carriers/waybills.ts';
import { pollAgain, takeStaleParcels, type StaleParcel } from '../../db/fulfillment/stale-parcels.ts';
import { trackParcels } from '../../db/fulfillment/track-parcels.ts';
import { PartnerRefused, PartnerUnavailable, pauseMs } from '../../domain/http-port.ts';
import { fetchLabel } from './labels.ts';
import { CarrierSessions, type CarrierDeps, type CarrierSession } from './session.ts';

const BATCH = 20;
const BALANCE_MS = 3_600_000;
/** What it refuses for itself; an account that is refused says nothing of a parcel, which waits until it is put right. */
const final = (error: PartnerRefused | PartnerUnavailable): boolean => error instanceof PartnerRefused && !error.account;
const partner = (error: unknown): error is PartnerRefused | PartnerUnavailable => error instanceof PartnerRefused || error instanceof PartnerUnavailable;

export type Tended = { announced: number; waybills: number; news: number; exceptions: number; balances: number };

/** What carriers are owed: parcels announced, numbers taken back, labels fetched, silent parcels asked about; and the exceptions that silence makes. */
export function createCarrierTending(deps: CarrierDeps, logger: Pick<Logger, 'warn'>, sessions = new CarrierSessions(deps)) {
  const { pool, clock } = { pool: deps.writer.pool, clock: () => deps.writer.clock() };
  const tail = (session: CarrierSession, contactId: string): Promise<string | null> => (session.kind.needsPhoneTail ? phoneTail(pool, deps.vault, contactId) : Promise.resolve(null));

  async function announce(): Promise<number> {
    const due = await takeDueFollows(pool, clock(), BATCH);
    for (const { contactId, ...parcel } of due) {
      try {
        const session = await sessions.of(parcel.account);
        if (!session?.connector.subscribe) await followEnded(pool, parcel, 'this account takes no announcements any more', clock());
        else {
          await session.connector.subscribe({ carrier: parcel.carrier, waybillNo: parcel.waybillNo, phoneTail: await tail(session, contactId) });
          await followEnded(pool, parcel, null, clock());
        }
      } catch (error) {
        if (!partner(error)) throw error;
        if (final(error)) await followEnded(pool, parcel, error.message, clock());
        else await followPostponed(pool, parcel, error.message, clock(), pauseMs(error));
      }
    }
    return due.length;
  }

  async function settleWaybills(): Promise<number> {
    const due = await takeDueWaybills(pool, clock(), BATCH);
    for (const { account, requestId, carrier, askedAs, state, waybillNo, labelState, draft } of due) {
      const key = { account, requestId, carrier };
      const asked = { ...key, waybillNo, draft };
      const session = await sessions.of(account);
      if (state !== 'void') {
        if (session && labelState === 'due' && waybillNo !== null) await (session.connector.label ? fetchLabel(deps, session, key, { askedAs, waybillNo, draft }) : labelRefused(pool, key, 'its label came with its number only'));
        continue;
      }
      try {
        if (!session?.connector.cancelWaybill) await waybillEnded(pool, asked, 'kept', 'nobody can be asked to take it back', clock());
        else {
          const outcome = await session.connector.cancelWaybill({ requestId: askedAs, waybillNo, carrier, draft }, 'not used');
          await waybillEnded(pool, asked, outcome === 'cancelled' ? 'cancelled' : 'kept', outcome === 'cancelled' ? null : 'the carrier would not take it back', clock());
        }
      } catch (error) {
        if (!partner(error)) throw error;
        if (final(error)) await waybillEnded(pool, asked, 'kept', error.message, clock());
        else await waybillPostponed(pool, key, error.message, clock(), pauseMs(error));
      }
    }
    return due.length;
  }

  /** A carrier that cannot answer is asked again after the same while; one that wants a pause, after that. */
  async function poll(): Promise<number> {
    let news = 0;
    for (const parcel of await takeStaleParcels(pool, clock(), BATCH)) news += await ask(parcel);
    return news;
  }

  async function ask({ id, carrier, waybillNo, contactId }: StaleParcel): Promise<number> {
    let pause = 0;
    for (const session of await sessions.askedAbout(carrier)) {
      try {
        const events = await session.connector.events?.({ carrier, waybillNo, phoneTail: await tail(session, contactId) }) ?? [];
        if (events.length > 0) return (await trackParcels(deps.writer, carrier, events, session.account.code === carrier ? null : session.account.code)).accepted;
      } catch (error) {
        pause = Math.max(pause, pauseMs(error));
        logger.warn({ err: error, account: session.account.code, carrier }, 'carrier not polled');
      }
    }
    if (pause > 0) await pollAgain(pool, id, new Date(clock().getTime() + pause));
    return 0;
  }

  let balancedAt = 0;
  /** Once an hour: how many numbers are left. */
  async function balances(): Promise<number> {
    if (clock().getTime() - balancedAt < BALANCE_MS) return 0;
    balancedAt = clock().getTime();
    let asked = 0;
    for (const { account, connector } of await sessions.all()) {
      if (!connector.balance) continue;
      try {
        await saveBalances(pool, account.code, await connector.balance(), clock());
        asked++;
      } catch (error) {
        if (!partner(error)) throw error;
        logger.warn({ err: error, account: account.code }, 'balance of waybill numbers not read');
      }
    }
    return asked;
  }

  return {
    announce, settleWaybills, poll, balances,
    async all(): Promise<Tended> {
      return { announced: await announce(), waybills: await settleWaybills(), news: await poll(), exceptions: await tendSilence(deps.writer), balances: await balances() };
    },
  };
}
