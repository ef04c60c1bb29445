import type pg from 'pg';
import { encodeId } from '../../domain/ids.ts';
import { noSuchProposal } from './decide.ts';

export const MOVE_STATUSES = ['proposed', 'accepted', 'rejected', 'lapsed'] as const;
/** Money minor units, times ISO 8601. `gain` = gained − lost − cost: expected margin of the units there, here, and what the trip costs. */
export type MoveProposal = {
  id: string; category: string | null; from: string; to: string; status: (typeof MOVE_STATUSES)[number]; units: number; gained: number; lost: number; cost: number; gain: number; how: string; createdAt: string; lapsesAt: string;
  decidedAt: string | null; decidedBy: string | null; reason: string | null; transfer: string | null;
  lines: { sku: string; units: number; gained: number; lost: number; sellsThere: number; sellsHere: number; words: string }[];
};
export type MoveFilter = { status: MoveProposal['status'] | null; from: string | null; to: string | null; category: string | null; before: string | null; limit: number };
type Row = Omit<MoveProposal, 'createdAt' | 'lapsesAt' | 'decidedAt'> & { createdAt: Date; lapsesAt: Date; decidedAt: Date | null };
const HEAD = `select p.id, p.category, f.code "from", d.code "to", p.status, p.units, p.gained, p.lost, p.cost, p.gain, p.how, p.created_at "createdAt", p.lapses_at "lapsesAt", p.decided_at "decidedAt", p.decided_by "decidedBy", p.reason, p.transfer,
  (select json_agg(json_build_object('sku', k.code, 'units', n.units, 'gained', n.gained, 'lost', n.lost, 'sellsThere', n.sells_there, 'sellsHere', n.sells_here, 'words', n.words) order by n.line_no)
    from move_proposal_lines n join skus k on k.id = n.sku_id where n.proposal_id = p.id) lines
  from move_proposals p join locations f on f.id = p.from_location_id join locations d on d.id = p.to_location_id`;
const view = (r: Row): MoveProposal => ({ ...r, id: encodeId('mov', r.id), createdAt: r.createdAt.toISOString(), lapsesAt: r.lapsesAt.toISOString(), decidedAt: r.decidedAt?.toISOString() ?? null });

/** The newest first. */
export async function listMoves(pool: pg.Pool, f: MoveFilter): Promise<MoveProposal[]> {
  const { rows } = await pool.query<Row>(
    `${HEAD} where ($1::text is null or p.status = $1) and ($2::text is null or f.code = $2) and ($3::text is null or d.code = $3) and ($4::text is null or p.category = $4) and ($5::uuid is null or p.id < $5)
     order by p.id desc limit $6`, [f.status, f.from, f.to, f.category, f.before, f.limit]);
  return rows.map(view);
}

/** Throws Problem not_found. */
export async function readMove(pool: pg.Pool, uuid: string): Promise<MoveProposal> {
  const { rows: [row] } = await pool.query<Row>(`${HEAD} where p.id = $1`, [uuid]);
  if (!row) throw noSuchProposal(encodeId('mov', uuid));
  return view(row);
}
