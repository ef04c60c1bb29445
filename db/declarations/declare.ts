import { Problem } from '../../domain/problem.ts';
import type { ContractLine, DeclarationKind, LineRequest } from '../../domain/stock/declaration.ts';
import { uuidv7 } from '../../runtime/ids.ts';
import type { Network } from '../network.ts';
import { askWorkflow } from '../outbox.ts';
import { claimReference, storeAnswer } from '../stock/receipts.ts';
import type { StockWriter } from '../stock-writer.ts';
import type { Tx } from '../tx.ts';
import { declarationWorkflow, showAtOnce } from './declaration.ts';
import { moveIn } from './move-in.ts';
import { readPolicy } from './policy.ts';

export type DeclareRequest = {
  code: string; kind: DeclarationKind; partner: string; channel: string; startsAt: string; endsAt: string; overflow?: 'never' | 'parent'; lines: LineRequest[];
};
/** What the partner may count on. `expiresAt`: then unsold units go home; `settleBy`: the report is there at the latest. */
export type Contract = {
  code: string; kind: DeclarationKind; partner: string; channel: string; overflow: 'never' | 'parent'; startsAt: string; endsAt: string; expiresAt: string; settleBy: string;
  declaredAt: string; firm: number; soft: number; lines: ContractLine[];
};

/**
 * Sets units apart for a session, from locations and supplies, all of them or none. The code is the idempotency key: again with the same body, the same contract.
 * Throws Problem with the field at fault; nothing has changed then.
 */
export async function declare(writer: StockWriter, network: Network, request: DeclareRequest, actor: string): Promise<Contract> {
  const { contract, allotmentId } = await writer.change((tx) => declareIn(tx, network, request, actor));
  await showAtOnce(writer, network, allotmentId);
  return contract;
}

/** The same in the caller's transaction; after its commit `showAtOnce`. */
export async function declareIn(tx: Tx, network: Network, request: DeclareRequest, actor: string): Promise<{ contract: Contract; allotmentId: number }> {
  const channel = network.channels.get(request.channel);
  if (!channel?.active) throw new Problem('unknown_channel', `channel "${request.channel}" is not known or not active`, '/channel');
  const [startsAt, endsAt] = [moment(request.startsAt, '/startsAt'), moment(request.endsAt, '/endsAt')];
  if (endsAt <= startsAt) throw new Problem('unprocessable', 'the session ends before it begins', '/endsAt');
  const known = await claimReference<{ contract: Contract; allotmentId: number }>(tx, 'declaration', request.code, request);
  if (known) return known;
  if (endsAt <= tx.now) throw new Problem('unprocessable', 'the session is over already', '/endsAt');
  const { code, kind, partner, overflow = 'never' } = request;
  const allotment = await tx.one<{ id: number }>(
    `insert into allotments (kind, name, channel_id, code, parent_id, overflow, starts_at, ends_at, created_at) values ('declaration', $1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (code) do nothing returning id`, [`${kind} ${partner}`, channel.id, code, network.allotmentOf(channel.id), overflow, startsAt, endsAt, tx.now]);
  if (!allotment) throw new Problem('conflict', `an allotment with the code "${code}" is there already`, '/code');
  const id = uuidv7();
  const policy = await readPolicy(tx);
  const settleBy = new Date(endsAt.getTime() + policy.settleAfterS * 1000);
  await tx.query(
    `insert into declarations (id, code, allotment_id, kind, partner, channel_id, starts_at, ends_at, settle_by, contract, declared_at, declared_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{}', $10, $11)`,
    [id, code, allotment.id, kind, partner, channel.id, startsAt, endsAt, settleBy, tx.now, actor]);
  const lines = await moveIn(tx, network, { id, allotmentId: allotment.id, channelId: channel.id, endsAt }, request.lines, 'declared', policy);
  const made: Contract = {
    code, kind, partner, channel: channel.code, overflow, startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString(), expiresAt: endsAt.toISOString(), settleBy: settleBy.toISOString(),
    declaredAt: tx.now.toISOString(), firm: lines.reduce((sum, l) => sum + l.firm, 0), soft: lines.reduce((sum, l) => sum + l.soft, 0), lines,
  };
  await tx.query('update declarations set contract = $2 where id = $1', [id, JSON.stringify(made)]);
  await askWorkflow(tx, 'start', declarationWorkflow(id), startsAt);
  const answer = { contract: made, allotmentId: allotment.id };
  await storeAnswer(tx, 'declaration', code, answer);
  return answer;
}

function moment(text: string, field: string): Date {
  const at = new Date(text);
  const year = at.getUTCFullYear();
  if (year >= 1900 && year <= 9999) return at;
  throw new Problem('unprocessable', 'no such moment: ISO 8601 with hours and minutes of the offset, years 1900 to 9999', field);
}
