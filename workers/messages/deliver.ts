import type { Logger } from 'pino';
import { beginTry, postponeMessage, type LeasedMessage } from '../../db/messages/lease.ts';
import { settleMessage, type Outcome } from '../../db/messages/settle.ts';
import type { Store } from '../../db/store.ts';
import { PartnerRefused, PartnerThrottled, PartnerUnreachable } from '../../domain/http-port.ts';
import { encodeId } from '../../domain/ids.ts';
import { retryAfterS } from '../../domain/messages/message.ts';
import { afterQuiet } from '../../domain/messages/quiet.ts';
import type { SentMessage } from '../../messengers/messenger.ts';
import type { Accounts, Account } from './accounts.ts';
import { prepareMessage, type Prepared } from './prepare.ts';

export type DeliverDeps = { store: Pick<Store, 'pool' | 'vault' | 'writer'>; accounts: Accounts; logger: Logger };

export type MessageOutcome = 'sent' | 'failed' | 'skipped' | 'postponed' | 'superseded';

/** Takes one leased message as far as it goes now: out, on to a later moment, or to its end. `superseded`: somebody else has it. */
export async function deliverMessage(deps: DeliverDeps, m: LeasedMessage): Promise<MessageOutcome> {
  const { store: { pool, writer }, accounts, logger } = deps;
  const now = writer.clock();
  const end = async (outcome: Outcome, of = m): Promise<MessageOutcome> => (await settleMessage(writer, of, outcome) ? outcome.status : 'superseded');
  const later = async (dueAt: Date, begun: boolean): Promise<MessageOutcome> => {
    await postponeMessage(pool, m, { dueAt, error: null, begun, refused: null });
    return 'postponed';
  };
  // What was tried in vain has failed; what nobody may be told at this hour was of no use.
  if (now >= m.expiresAt && m.begunAt === null) return end(m.attempts > 0 ? { status: 'failed', reason: 'expired' } : { status: 'skipped', reason: 'expired' });
  const quietUntil = new Date(afterQuiet(now.getTime(), m.quiet));
  if (quietUntil > now) return later(quietUntil < m.expiresAt ? quietUntil : m.expiresAt, m.begunAt !== null);
  const open = m.begunAt !== null && m.way !== null && m.messenger !== null ? { way: m.way, messenger: m.messenger } : null;
  const prepared = await prepareMessage(deps.store, await accounts.rows(), m, open);
  if ('status' in prepared) return end(open ? { status: 'failed', reason: prepared.reason === 'erased' ? 'erased' : 'outcome_unknown' } : prepared);
  const account = accounts.account(prepared.messenger);
  const repeats = account?.repeats;
  if (!account || (open && (repeats === 'never' || now >= m.expiresAt))) return end({ status: 'failed', reason: account ? 'outcome_unknown' : 'no_messenger' });
  const free = account.freeAt(now.getTime());
  if (free > now.getTime()) return later(new Date(free), open !== null);
  if (!await beginTry(pool, m, prepared.message.way, prepared.messenger.code, now)) return 'superseded';
  const tried = { ...m, attempts: m.attempts + 1 };
  let sent: SentMessage;
  try {
    sent = (open && repeats === 'lookup' ? await account.messenger.find?.(prepared.message, (m.begunAt ?? now).getTime()) : null) ?? await account.messenger.send(prepared.message);
  } catch (error) {
    logger.warn({ messageId: encodeId('msg', m.id), messenger: prepared.messenger.code, attempts: tried.attempts, err: error }, 'message not sent');
    // An earlier try may have reached somebody, which this one says nothing of: by another way it could be told twice.
    if (open && error instanceof PartnerRefused && !error.account) return end({ status: 'failed', reason: 'outcome_unknown', error: error.message }, tried);
    await setBack(deps, tried, prepared, account, open !== null, error);
    return 'postponed';
  }
  return end({ status: 'sent', way: prepared.message.way, messenger: prepared.messenger.code, ref: sent.ref }, tried);
}

/** It is tried again: by another way where this one is refused, unless an earlier try may have gone out by it; then it waits until the account is put right. */
async function setBack({ store: { pool, writer } }: DeliverDeps, m: LeasedMessage, { message }: Prepared, account: Account, wasOpen: boolean, error: unknown): Promise<void> {
  const now = writer.clock();
  const text = error instanceof Error ? error.message : String(error);
  const later = (ms: number): Date => new Date(Math.min(now.getTime() + ms, Math.max(m.expiresAt.getTime(), now.getTime() + 1)));
  if (error instanceof PartnerRefused && !wasOpen) {
    // Another way may carry it, at once; without one the next look ends it.
    await postponeMessage(pool, m, { dueAt: now, error: text, begun: false, refused: message.way });
  } else if (error instanceof PartnerThrottled) {
    account.pause(now.getTime() + error.retryAfterMs);
    await postponeMessage(pool, m, { dueAt: later(error.retryAfterMs), error: text, begun: wasOpen, refused: null });
  } else {
    await postponeMessage(pool, m, { dueAt: later(retryAfterS(m.attempts) * 1000), error: text, begun: wasOpen || !(error instanceof PartnerUnreachable), refused: null });
  }
}
