import type pg from 'pg';

export type SnapshotView = {
  id: string; location: string; kind: string; source: string; takenAt: string; receivedAt: string; status: string; reason: string | null; lines: number; badLines: number;
  counts: unknown; doneAt: string | null;
};
type SnapshotRow = Omit<SnapshotView, 'takenAt' | 'receivedAt' | 'doneAt'> & { no: number; takenAt: Date; receivedAt: Date; doneAt: Date | null };
export type LineView = { line: number; sku: string; condition: string; lot: string | null; counted: number; expected: number | null; variance: number | null; class: string | null; action: string | null; shortened: number };
export type RecountView = {
  id: number; location: string; sku: string; condition: string; lot: string | null; status: string; counted: number; expected: number; variance: number; openedAt: string; closedAt: string | null; closedBy: string | null; figure: number | null;
};

const VIEW = `s.id no, s.external_id id, l.code location, s.kind, s.source, s.taken_at "takenAt", s.received_at "receivedAt", s.status, s.reason, s.lines, s.bad_lines "badLines", s.counts, s.done_at "doneAt"`;

const view = ({ no: _no, ...row }: SnapshotRow): SnapshotView => ({ ...row, takenAt: row.takenAt.toISOString(), receivedAt: row.receivedAt.toISOString(), doneAt: row.doneAt?.toISOString() ?? null });

/** Snapshots, the newest first; `before` is the number of the last one seen. */
export async function listSnapshots(pool: pg.Pool, filter: { locationId: number | null; status: string | null; before: number | null; limit: number }): Promise<{ items: SnapshotView[]; next: number | null }> {
  const { rows } = await pool.query<SnapshotRow>(
    `select ${VIEW} from snapshots s join locations l on l.id = s.location_id
     where ($1::int is null or s.location_id = $1) and ($2::text is null or s.status = $2) and ($3::bigint is null or s.id < $3) order by s.id desc limit $4`,
    [filter.locationId, filter.status, filter.before, filter.limit]);
  return { items: rows.map(view), next: rows.length === filter.limit ? rows.at(-1)?.no ?? null : null };
}

/** One snapshot with its lines that are no match (or of one class), in the order of the upload. Null when there is none. */
export async function readSnapshot(
  pool: pg.Pool, locationId: number, id: string, filter: { class: string | null; after: number; limit: number },
): Promise<(SnapshotView & { variances: LineView[]; next: number | null }) | null> {
  const { rows: [row] } = await pool.query<SnapshotRow>(`select ${VIEW} from snapshots s join locations l on l.id = s.location_id where s.location_id = $1 and s.external_id = $2`, [locationId, id]);
  if (!row) return null;
  const { rows: lines } = await pool.query<LineView>(
    `select line_no line, sku_code sku, condition, lot_code lot, counted, expected, variance, class, action, shortened from snapshot_lines
     where snapshot_id = $1 and line_no > $3 and ($2::text is null and class <> 'match' or class = $2) order by line_no limit $4`, [row.no, filter.class, filter.after, filter.limit]);
  return { ...view(row), variances: lines, next: lines.length === filter.limit ? lines.at(-1)?.line ?? null : null };
}

/** Recounts, the oldest first. */
export async function listRecounts(pool: pg.Pool, filter: { locationId: number | null; status: string | null; after: number; limit: number }): Promise<{ items: RecountView[]; next: number | null }> {
  const { rows } = await pool.query<Omit<RecountView, 'openedAt' | 'closedAt'> & { openedAt: Date; closedAt: Date | null }>(
    `select r.id, l.code location, k.code sku, r.condition, nullif(r.lot_code, '') lot, r.status, r.counted, r.expected, r.variance, r.opened_at "openedAt", r.closed_at "closedAt", r.closed_by "closedBy", r.figure
     from recounts r join locations l on l.id = r.location_id join skus k on k.id = r.sku_id
     where ($1::int is null or r.location_id = $1) and ($2::text is null or r.status = $2) and r.id > $3 order by r.id limit $4`, [filter.locationId, filter.status, filter.after, filter.limit]);
  const items = rows.map((r) => ({ ...r, openedAt: r.openedAt.toISOString(), closedAt: r.closedAt?.toISOString() ?? null }));
  return { items, next: items.length === filter.limit ? items.at(-1)?.id ?? null : null };
}

/** How well a location counts: matched ⁄ counted lines of its latest snapshots (domain/stock/accuracy.ts); null before the first. */
export async function readAccuracy(client: pg.ClientBase | pg.Pool, locationId: number): Promise<{ accuracy: number; countedLines: number; matchedLines: number; updatedAt: string } | null> {
  const { rows: [row] } = await client.query<{ counted: number; matched: number; at: Date }>('select counted_lines counted, matched_lines matched, updated_at at from location_accuracy where location_id = $1', [locationId]);
  return row ? { accuracy: row.matched / row.counted, countedLines: row.counted, matchedLines: row.matched, updatedAt: row.at.toISOString() } : null;
}
