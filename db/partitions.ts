import type pg from 'pg';

/** The ledger's partitions from a month ago to half a year on; those that are there stay. */
export async function ensurePartitions(pool: pg.Pool): Promise<void> { await pool.query(`select ensure_movement_partitions((now() - interval '1 month')::date, 6)`); }
