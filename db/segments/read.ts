import type pg from 'pg';

export type SegmentView = { code: string; members: number; createdAt: string };

/** Segments by code, with how many members they have; who they are is nobody's to list. */
export async function listSegments(pool: pg.Pool, after: string | null, limit: number): Promise<SegmentView[]> {
  const { rows } = await pool.query<{ code: string; members: number; createdAt: Date }>(
    `select s.code, s.created_at "createdAt", (select count(*)::int from segment_members m join persons p on p.id = m.person_id and p.erased_at is null where m.segment_id = s.id) members
     from segments s where ($1::text is null or s.code > $1) order by s.code limit $2`, [after, limit]);
  return rows.map((r) => ({ ...r, createdAt: r.createdAt.toISOString() }));
}
