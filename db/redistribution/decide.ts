import { decodeId, encodeId } from '../../domain/ids.ts';
import { Problem } from '../../domain/problem.ts';
import type { Network } from '../network.ts';
import type { StockWriter } from '../stock-writer.ts';
import { createTransferIn } from '../transfers/create.ts';
import type { Tx } from '../tx.ts';

type Proposal = { id: string; status: 'proposed' | 'accepted' | 'rejected' | 'lapsed'; from: string; to: string; lapsesAt: Date; reason: string | null };

export function proposalUuid(id: string): string {
  const uuid = decodeId('mov', id);
  if (uuid === null) throw noSuchProposal(id);
  return uuid;
}
export function noSuchProposal(id: string): Problem { return new Problem('not_found', `move proposal "${id}" does not exist`); }

async function lock(tx: Tx, uuid: string): Promise<Proposal> {
  const row = await tx.one<Proposal>(
    `select p.id, p.status, f.code "from", d.code "to", p.lapses_at "lapsesAt", p.reason from move_proposals p join locations f on f.id = p.from_location_id join locations d on d.id = p.to_location_id
     where p.id = $1 for no key update of p`, [uuid]);
  if (!row) throw noSuchProposal(encodeId('mov', uuid));
  return row;
}

/**
 * A proposal becomes a transfer whose units are set aside at the sender, in this commit; again, or twice at once: the same transfer. Throws Problem conflict where it was rejected or has lapsed,
 * `insufficient_stock` where the units are no longer there; nothing has changed then.
 */
export async function acceptMove(writer: StockWriter, network: Network, uuid: string, actor: string): Promise<void> {
  const { rows } = await writer.pool.query<{ sku: string; quantity: number }>('select k.code sku, n.units quantity from move_proposal_lines n join skus k on k.id = n.sku_id where n.proposal_id = $1 order by n.line_no', [uuid]);
  await network.loadSkus(rows.map((r) => r.sku));
  await writer.change(async (tx) => {
    const proposal = await lock(tx, uuid);
    if (proposal.status === 'accepted') return;
    mustBeOpen(proposal, tx.now);
    const id = encodeId('mov', uuid);
    const transfer = await createTransferIn(tx, network, { reference: `RD-${id}`, reason: 'redistribution', from: proposal.from, to: proposal.to, lines: rows, approve: true, note: `move proposal ${id}` }, { actor, onlyLocation: null });
    await tx.query(`update move_proposals set status = 'accepted', decided_at = $2, decided_by = $3, transfer = $4 where id = $1`, [uuid, tx.now, actor, transfer.id]);
  });
}

/** Nobody will do it. Again: no change. Throws Problem conflict where it was accepted or has lapsed. */
export async function rejectMove(writer: StockWriter, uuid: string, reason: string, actor: string): Promise<void> {
  await writer.change(async (tx) => {
    const proposal = await lock(tx, uuid);
    if (proposal.status === 'rejected') return;
    mustBeOpen(proposal, tx.now);
    await tx.query(`update move_proposals set status = 'rejected', decided_at = $2, decided_by = $3, reason = $4 where id = $1`, [uuid, tx.now, actor, reason]);
  });
}

function mustBeOpen(p: Proposal, now: Date): void {
  if (p.status === 'lapsed' || p.lapsesAt <= now) throw new Problem('conflict', `the proposal has lapsed (${p.reason ?? 'nobody decided in time'}): ask for a new plan`);
  if (p.status !== 'proposed') throw new Problem('conflict', `the proposal was ${p.status}`);
}
